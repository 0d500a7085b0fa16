-- The books: partners, catalog, journal, agreements, entries, rollups.
-- Tokens: @int64 @bytes @text (bytewise order) @strict, and @clustered for narrow tables that are
-- kept in the order of their key (SQLite: WITHOUT ROWID). One database is one book (live or test).

CREATE TABLE setting (
    name @text NOT NULL PRIMARY KEY,
    value @bytes NOT NULL
) @strict;

-- Order of knowledge: the last step before a commit takes numbers from here.
CREATE TABLE journal_head (
    id @int64 NOT NULL PRIMARY KEY CHECK (id = 1),
    seq @int64 NOT NULL
) @strict;
INSERT INTO journal_head (id, seq) VALUES (1, 0);

-- partners ------------------------------------------------------------------------------------

CREATE TABLE partner (
    id @text NOT NULL PRIMARY KEY,
    name @text NOT NULL,
    legal_name @text NOT NULL,
    tax_id @text NOT NULL,
    roles @int64 NOT NULL,                 -- 1 provider, 2 channel, 4 promoter, 8 platform
    currency @text NOT NULL,
    time_zone @text NOT NULL,
    profile @text NOT NULL,                -- canonical JSON
    column_map @text NOT NULL,             -- 'field:column,…' for its CSV catalogs, or ''
    state @text NOT NULL,                  -- active | suspended
    version @int64 NOT NULL,
    created_at @int64 NOT NULL,
    updated_at @int64 NOT NULL
) @strict;

CREATE TABLE partner_state (
    partner @text NOT NULL,
    from_at @int64 NOT NULL,
    state @text NOT NULL,
    PRIMARY KEY (partner, from_at)
) @clustered;

-- seq of the last change that this partner can see: ETag and as_of of its reads.
CREATE TABLE partner_version (
    partner @text NOT NULL PRIMARY KEY,
    seq @int64 NOT NULL
) @clustered;

CREATE TABLE api_key (
    id @text NOT NULL PRIMARY KEY,
    partner @text NOT NULL,
    hash @bytes NOT NULL UNIQUE,
    scopes @int64 NOT NULL,
    label @text NOT NULL,
    created_at @int64 NOT NULL,
    expires_at @int64,
    revoked_at @int64
) @strict;
CREATE INDEX api_key_partner ON api_key (partner, id);

CREATE TABLE idempotency (
    partner @text NOT NULL,
    idempotency_key @text NOT NULL,
    request_hash @bytes NOT NULL,          -- method, target and body
    status @int64 NOT NULL,
    content_type @text NOT NULL,
    headers @text NOT NULL,                -- 'Name: value' lines
    body @bytes NOT NULL,
    created_at @int64 NOT NULL,
    PRIMARY KEY (partner, idempotency_key)
) @strict;

-- catalog -------------------------------------------------------------------------------------

-- What is visible of a provider's catalog: rows with gen_from <= generation < gen_to.
CREATE TABLE provider_catalog (
    provider @text NOT NULL PRIMARY KEY,
    generation @int64 NOT NULL,
    applying @text NOT NULL,               -- import being applied at generation + 1, or ''
    active_courses @int64 NOT NULL
) @strict;

CREATE TABLE course (
    provider @text NOT NULL,
    course_id @text NOT NULL,
    version @int64 NOT NULL,
    gen_from @int64 NOT NULL,
    gen_to @int64 NOT NULL,                -- 9223372036854775807: still current
    id @text NOT NULL,                     -- opaque; the same for all versions
    state @text NOT NULL,                  -- active | withdrawn
    content_hash @bytes NOT NULL,          -- of the canonical decoded course
    raw_hash @bytes NOT NULL,              -- of the element as it was sent, with format and map
    title @text NOT NULL,
    language @text NOT NULL,
    level @text NOT NULL,
    kind @text NOT NULL,
    purposes @int64 NOT NULL,              -- bits, see store/courses.h
    formats @int64 NOT NULL,
    price_amount @int64 NOT NULL,          -- lowest offer; -1: no price
    price_currency @text NOT NULL,
    rating_ppm @int64 NOT NULL,            -- value / best; -1: none
    enrolments @int64 NOT NULL,            -- -1: unknown
    body @text NOT NULL,                   -- canonical JSON, as answered
    source @text NOT NULL,                 -- import id, or 'put'
    changed_at @int64 NOT NULL,
    PRIMARY KEY (provider, course_id, version)
) @strict;
CREATE INDEX course_opaque ON course (id, gen_to);
CREATE INDEX course_raw ON course (provider, raw_hash);
CREATE INDEX course_title ON course (title, provider, course_id);
CREATE INDEX course_provider_title ON course (provider, title, course_id);
CREATE INDEX course_changed ON course (changed_at, provider, course_id);
CREATE INDEX course_price ON course (price_currency, price_amount, provider, course_id);
CREATE INDEX course_rating ON course (rating_ppm, provider, course_id);

CREATE TABLE course_subject (
    provider @text NOT NULL,
    course_id @text NOT NULL,
    version @int64 NOT NULL,
    subject @text NOT NULL,
    PRIMARY KEY (provider, course_id, version, subject)
) @clustered;

-- Which channel sees what of whom: worked out from each active agreement version.
CREATE TABLE catalog_grant (
    channel @text NOT NULL,
    provider @text NOT NULL,
    course_id @text NOT NULL,              -- '': all of the provider's
    agreement @text NOT NULL,
    version @int64 NOT NULL,
    from_at @int64 NOT NULL,
    to_at @int64 NOT NULL,
    PRIMARY KEY (channel, provider, course_id, agreement, version)
) @strict;
CREATE INDEX catalog_grant_agreement ON catalog_grant (agreement, version);
CREATE INDEX catalog_grant_provider ON catalog_grant (provider, channel);

CREATE TABLE catalog_import (
    id @text NOT NULL PRIMARY KEY,
    provider @text NOT NULL,
    created_at @int64 NOT NULL,
    finished_at @int64,
    state @text NOT NULL,                  -- staged | blocked | applying | applied | failed
    reason @text NOT NULL,                 -- why blocked or failed: a code, or ''
    mode @text NOT NULL,
    format @text NOT NULL,
    dry_run @int64 NOT NULL,
    received @int64 NOT NULL,
    created @int64 NOT NULL,
    updated @int64 NOT NULL,
    unchanged @int64 NOT NULL,
    withdrawn @int64 NOT NULL,
    rejected @int64 NOT NULL,
    problems @int64 NOT NULL,              -- found; import_problem keeps the first of them
    generation @int64 NOT NULL,            -- of the catalog that it was checked against
    step @int64 NOT NULL,                  -- while applying: 0 withdraws, 1 adds rows
    active_after @int64 NOT NULL           -- active courses once it is applied
) @strict;
CREATE INDEX catalog_import_provider ON catalog_import (provider, created_at, id);
CREATE INDEX catalog_import_created ON catalog_import (created_at, id);
CREATE INDEX catalog_import_state ON catalog_import (state, provider);

-- What an upload holds, until it is applied: a course as it will stand at generation + 1.
CREATE TABLE import_row (
    import_id @text NOT NULL,
    course_id @text NOT NULL,
    line @int64 NOT NULL,
    action @text NOT NULL,                 -- create | update | keep | seen (refused: no change)
    base_version @int64 NOT NULL,          -- version that it replaces; 0: none
    id @text NOT NULL,
    content_hash @bytes NOT NULL,
    raw_hash @bytes NOT NULL,
    title @text NOT NULL,
    language @text NOT NULL,
    level @text NOT NULL,
    kind @text NOT NULL,
    purposes @int64 NOT NULL,
    formats @int64 NOT NULL,
    price_amount @int64 NOT NULL,
    price_currency @text NOT NULL,
    rating_ppm @int64 NOT NULL,
    enrolments @int64 NOT NULL,
    body @text NOT NULL,
    PRIMARY KEY (import_id, course_id)
) @strict;

CREATE TABLE import_subject (
    import_id @text NOT NULL,
    course_id @text NOT NULL,
    subject @text NOT NULL,
    PRIMARY KEY (import_id, course_id, subject)
) @strict;

CREATE TABLE import_problem (
    import_id @text NOT NULL,
    number @int64 NOT NULL,
    line @int64 NOT NULL,
    course_id @text NOT NULL,
    field @text NOT NULL,
    code @text NOT NULL,
    message @text NOT NULL,
    PRIMARY KEY (import_id, number)
) @clustered;

-- journal: append-only ------------------------------------------------------------------------

CREATE TABLE fact_key (
    partner @text NOT NULL,
    event_id @text NOT NULL,
    seq @int64 NOT NULL,
    body_hash @bytes NOT NULL,
    PRIMARY KEY (partner, event_id)
) @clustered;

CREATE TABLE fact (
    seq @int64 NOT NULL PRIMARY KEY,
    partner @text NOT NULL,
    posted_by @text NOT NULL,              -- operator that posted for the partner, or ''
    event_id @text NOT NULL,
    type @text NOT NULL,
    occurred_at @int64 NOT NULL,
    received_at @int64 NOT NULL,
    learner @bytes,
    provider @text NOT NULL,               -- of the course it is about, or ''
    course_id @text NOT NULL,
    measure @int64 NOT NULL,               -- stars, count, seconds, ppm; 0 where a type has none
    body @text NOT NULL,                   -- canonical JSON; free text stands as its salted hash
    canon @int64 NOT NULL,                 -- version of the canonical form
    body_hash @bytes NOT NULL,             -- over partner, event_id … measure and body as stored
    supersedes @int64                      -- seq
) @strict;
CREATE INDEX fact_partner ON fact (partner, seq);

-- A superseded or voided fact, and the one that did it: at most one.
CREATE TABLE fact_superseded (
    seq @int64 NOT NULL PRIMARY KEY,
    by_seq @int64 NOT NULL
) @strict;

-- Erasable free text of a fact.
CREATE TABLE fact_text (
    seq @int64 NOT NULL PRIMARY KEY,
    salt @bytes NOT NULL,
    text @text NOT NULL
) @strict;

CREATE TABLE learner_key (
    lookup @bytes NOT NULL PRIMARY KEY,    -- keyed hash of (partner, external id)
    learner @bytes NOT NULL
) @clustered;
CREATE INDEX learner_key_learner ON learner_key (learner);

-- Money facts as typed rows: settle and verify read these, never JSON.
CREATE TABLE sale (
    seq @int64 NOT NULL PRIMARY KEY,
    id @text NOT NULL,                     -- opaque, of the order: a correction keeps it
    channel @text NOT NULL,
    order_id @text NOT NULL,
    event_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    currency @text NOT NULL,
    learner @bytes
) @strict;
CREATE INDEX sale_order ON sale (channel, order_id, seq);
CREATE INDEX sale_opaque ON sale (id, seq);
CREATE INDEX sale_channel ON sale (channel, occurred_at);
CREATE INDEX sale_learner ON sale (channel, learner, occurred_at) WHERE learner IS NOT NULL;

-- The first fact of an order; order ids are unique per channel for ever.
CREATE TABLE order_key (
    channel @text NOT NULL,
    order_id @text NOT NULL,
    seq @int64 NOT NULL,
    PRIMARY KEY (channel, order_id)
) @clustered;

-- Ids of refunds and charge-backs are unique per order for ever; a reversal has the id of the
-- charge-back that it takes back, once.
CREATE TABLE refund_key (
    channel @text NOT NULL,
    order_id @text NOT NULL,
    refund_id @text NOT NULL,
    reversal @int64 NOT NULL,              -- 1: of a charge-back
    seq @int64 NOT NULL,
    PRIMARY KEY (channel, order_id, refund_id, reversal)
) @clustered;

CREATE TABLE sale_line (
    seq @int64 NOT NULL,
    line @int64 NOT NULL,
    line_id @text NOT NULL,
    provider @text NOT NULL,
    course_id @text NOT NULL,
    quantity @int64 NOT NULL,
    paid @int64 NOT NULL,
    tax @int64 NOT NULL,                   -- -1: not given
    store_fee @int64 NOT NULL,
    payment_fee @int64 NOT NULL,
    discount_provider @int64 NOT NULL,
    discount_channel @int64 NOT NULL,
    discount_platform @int64 NOT NULL,
    PRIMARY KEY (seq, line)
) @clustered;
CREATE INDEX sale_line_course ON sale_line (provider, course_id, seq);

-- A refund, a charge-back, or the reversal of a charge-back (one row, amount 0).
CREATE TABLE refund_line (
    seq @int64 NOT NULL,
    line @int64 NOT NULL,
    channel @text NOT NULL,
    order_id @text NOT NULL,
    refund_id @text NOT NULL,
    kind @text NOT NULL,                   -- refund | charge_back | reversal
    event_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    line_id @text,                         -- NULL: of the whole order
    amount @int64 NOT NULL,
    tax_returned @int64 NOT NULL,          -- -1: pro rata
    fee_returned @int64 NOT NULL,
    PRIMARY KEY (seq, line)
) @clustered;
CREATE INDEX refund_line_order ON refund_line (channel, order_id, seq);

-- Every fact that gives stars, as a typed row.
CREATE TABLE rating_fact (
    provider @text NOT NULL,
    course_id @text NOT NULL,
    rater @bytes NOT NULL,                 -- learner, or a hash of the fact's own key
    seq @int64 NOT NULL,
    occurred_at @int64 NOT NULL,
    partner @text NOT NULL,
    event_id @text NOT NULL,
    value @int64 NOT NULL,                 -- 1..5
    PRIMARY KEY (provider, course_id, rater, seq)
) @clustered;

-- Ids that are taken for ever, each with the first fact that took it.
CREATE TABLE subject_key (
    partner @text NOT NULL,
    kind @text NOT NULL,                   -- membership | term | entry | withdrawal | adjustment
    id @text NOT NULL,                     -- of the membership, entry or adjustment
    part @text NOT NULL,                   -- term_id of a term, else ''
    seq @int64 NOT NULL,
    PRIMARY KEY (partner, kind, id, part)
) @clustered;

-- What happened to a membership: a term began, the next one, or one stops.
CREATE TABLE membership_term (
    seq @int64 NOT NULL PRIMARY KEY,
    channel @text NOT NULL,
    membership_id @text NOT NULL,
    term_id @text NOT NULL,                -- '': the first; of a cancellation: the one running then
    kind @text NOT NULL,                   -- started | renewed | cancelled
    event_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    offer @text NOT NULL,                  -- '': that of the membership
    learner @bytes,                        -- NULL: a cancellation need not name it
    currency @text NOT NULL,               -- '': a cancellation is in that of the term
    from_at @int64,                        -- NULL: a cancellation
    to_at @int64,                          -- exclusive
    paid @int64 NOT NULL,
    tax @int64 NOT NULL,                   -- -1: not given
    store_fee @int64 NOT NULL,
    payment_fee @int64 NOT NULL,
    refunded @int64 NOT NULL,
    tax_returned @int64 NOT NULL,          -- -1: pro rata
    fee_returned @int64 NOT NULL
) @strict;
CREATE INDEX membership_term_of ON membership_term (channel, membership_id, seq);

-- What happened to the entry of a learner in a challenge.
CREATE TABLE challenge_fact (
    seq @int64 NOT NULL PRIMARY KEY,
    channel @text NOT NULL,
    entry_id @text NOT NULL,
    kind @text NOT NULL,                   -- joined | withdrawn | checkin
    event_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    offer @text NOT NULL,                  -- of joined, else ''
    learner @bytes,                        -- NULL: a withdrawal need not name it
    currency @text NOT NULL,               -- of joined, else ''
    time_zone @text NOT NULL,              -- of joined, else ''
    deposit @int64 NOT NULL,
    payment_fee @int64 NOT NULL,           -- -1: not given
    refunded @int64 NOT NULL,
    day @int64,                            -- days since 1970-01-01; NULL: that of occurred_at
    makeup @int64 NOT NULL                 -- 1: a check-in for a day that was missed
) @strict;
CREATE INDEX challenge_fact_of ON challenge_fact (channel, entry_id, seq);

-- What learners used: what pools are shared by.
CREATE TABLE usage_fact (
    seq @int64 NOT NULL PRIMARY KEY,
    channel @text NOT NULL,                -- who posted it
    kind @text NOT NULL,                   -- usage | completion | start
    learner @bytes,                        -- NULL: usage of nobody known
    provider @text NOT NULL,
    course_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    event_id @text NOT NULL,
    seconds @int64 NOT NULL,
    from_at @int64,
    to_at @int64
) @strict;
CREATE INDEX usage_fact_of ON usage_fact (channel, occurred_at);

-- A learner came by a promoter's link: what attribution goes by. A sale that names its link has a row
-- with its own seq and instant.
CREATE TABLE touch_fact (
    seq @int64 NOT NULL PRIMARY KEY,
    channel @text NOT NULL,
    learner @bytes,                        -- NULL: of a sale whose buyer is not known
    link @text NOT NULL,
    kind @text NOT NULL,                   -- click | share | coupon
    occurred_at @int64 NOT NULL,
    event_id @text NOT NULL
) @strict;
CREATE INDEX touch_fact_of ON touch_fact (channel, learner, occurred_at);
CREATE INDEX touch_fact_link ON touch_fact (channel, link);

-- What a learner allows; of each purpose the latest stands.
CREATE TABLE consent_fact (
    seq @int64 NOT NULL PRIMARY KEY,
    partner @text NOT NULL,
    learner @bytes NOT NULL,
    purpose @text NOT NULL,                -- analytics | recommend | share_provider | marketing
    granted @int64 NOT NULL,
    occurred_at @int64 NOT NULL,
    event_id @text NOT NULL
) @strict;
CREATE INDEX consent_fact_of ON consent_fact (partner, learner, purpose, occurred_at);

CREATE TABLE adjustment_fact (
    seq @int64 NOT NULL PRIMARY KEY,
    partner @text NOT NULL,                -- the operator that posted it
    adjustment_id @text NOT NULL,
    event_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    agreement @text NOT NULL,
    payee @text NOT NULL,
    funded_by @text NOT NULL,
    currency @text NOT NULL,
    amount @int64 NOT NULL,
    reason @text NOT NULL,
    of_period @text NOT NULL,              -- 2026-01 | 2026-Q1, or ''
    statement @text NOT NULL,              -- what it speaks of, or ''
    line @text NOT NULL
) @strict;
CREATE INDEX adjustment_fact_of ON adjustment_fact (agreement, seq);

-- A state that a payment reached.
CREATE TABLE payment_fact (
    seq @int64 NOT NULL PRIMARY KEY,
    partner @text NOT NULL,                -- the operator that posted it
    payment_id @text NOT NULL,
    event_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    payer @text NOT NULL,
    payee @text NOT NULL,
    currency @text NOT NULL,
    amount @int64 NOT NULL,
    state @text NOT NULL,                  -- approved | sent | confirmed | failed
    reference @text NOT NULL               -- of the bank, or ''
) @strict;
CREATE INDEX payment_fact_of ON payment_fact (payment_id, seq);

CREATE TABLE payment_statement (
    seq @int64 NOT NULL,
    statement @text NOT NULL,
    PRIMARY KEY (seq, statement)
) @clustered;
CREATE INDEX payment_statement_of ON payment_statement (statement, seq);

-- agreements ----------------------------------------------------------------------------------

CREATE TABLE agreement (
    id @text NOT NULL PRIMARY KEY,
    name @text NOT NULL,
    created_by @text NOT NULL,
    created_at @int64 NOT NULL
) @strict;

CREATE TABLE agreement_version (
    agreement @text NOT NULL,
    version @int64 NOT NULL,
    state @text NOT NULL,       -- draft | proposed | active | rejected | superseded | terminated
    effective_from @int64 NOT NULL,
    effective_to @int64 NOT NULL,
    body @text NOT NULL,                   -- canonical JSON as proposed
    body_hash @bytes NOT NULL,             -- what a signature signs
    reason @text NOT NULL,                 -- why rejected, or ''
    created_at @int64 NOT NULL,
    activated_seq @int64,
    changed_seq @int64 NOT NULL,
    PRIMARY KEY (agreement, version)
) @strict;

CREATE TABLE agreement_party (
    partner @text NOT NULL,
    agreement @text NOT NULL,
    version @int64 NOT NULL,
    rank @int64 NOT NULL,                  -- order declared
    signed_at @int64,
    signed_key @text NOT NULL,             -- id of the key that signed, or ''
    signed_hash @bytes,
    PRIMARY KEY (partner, agreement, version)
) @clustered;
CREATE INDEX agreement_party_version ON agreement_party (agreement, version, rank);

-- exchange rates --------------------------------------------------------------------------------

-- A day as it was published; the last version stands, whole. A day is final once a later one is
-- known; a final day without a rate of a currency takes the last one before it.
CREATE TABLE fx_day (
    base @text NOT NULL,
    day @int64 NOT NULL,                   -- days since 1970-01-01
    version @int64 NOT NULL,               -- 1, 2 … : a correction is a new one
    source @text NOT NULL,                 -- ecb
    reason @text NOT NULL,                 -- why corrected, or ''
    loaded_at @int64 NOT NULL,
    loaded_by @text NOT NULL,              -- partner, or '' (the program itself)
    seq @int64 NOT NULL,                   -- knowledge
    PRIMARY KEY (base, day, version)
) @clustered;
CREATE INDEX fx_day_seq ON fx_day (base, seq);

-- How many units of a currency one unit of the base is worth: the decimal as published.
CREATE TABLE fx_rate (
    base @text NOT NULL,
    currency @text NOT NULL,
    day @int64 NOT NULL,
    version @int64 NOT NULL,
    rate @text NOT NULL,
    PRIMARY KEY (base, currency, day, version)
) @clustered;

-- Every currency that ever had a rate.
CREATE TABLE fx_currency (
    base @text NOT NULL,
    currency @text NOT NULL,
    PRIMARY KEY (base, currency)
) @clustered;

-- entries: what settle gave, as differences ----------------------------------------------------

-- Signed differences: the sum of a line's rows per (agreement, version, day, held) is what stands.
-- `currency` is the agreement's: of net, added_back and shares; without an agreement that of the sale.
-- `sale_currency` is that of gross … net_sale.
-- Rows of a background job have its generation, and count once resettle_head.visible has reached
-- it; all others have 0. Line -1 holds refunds beyond what was paid: `refunded` is their amount,
-- line_count how many rows were cut, provider that of the order when it has only one, else ''.
CREATE TABLE entry (
    sale_seq @int64 NOT NULL,
    line @int64 NOT NULL,                  -- -1: refunds beyond what was paid, of the whole order
    number @int64 NOT NULL,                -- 0, 1, 2 … of the line
    seq @int64 NOT NULL,                   -- knowledge
    generation @int64 NOT NULL,
    agreement @text NOT NULL,              -- '' while held without one
    version @int64 NOT NULL,
    held @text NOT NULL,                   -- '' or the reason
    day @int64 NOT NULL,                   -- local day of the sale, days since 1970-01-01
    booked @int64 NOT NULL,                -- first day of the period that it is posted in; 0: none
    channel @text NOT NULL,
    provider @text NOT NULL,
    course_id @text NOT NULL,
    currency @text NOT NULL,
    sale_currency @text NOT NULL,
    line_count @int64 NOT NULL,            -- +1, 0 or -1
    quantity @int64 NOT NULL,
    gross @int64 NOT NULL,
    refunded @int64 NOT NULL,
    tax @int64 NOT NULL,
    store_fee @int64 NOT NULL,
    payment_fee @int64 NOT NULL,
    admin_fee @int64 NOT NULL,
    net_sale @int64 NOT NULL,
    net @int64 NOT NULL,
    added_back @int64 NOT NULL,
    base @int64 NOT NULL,                  -- what shares and tiers are taken of
    lines_qualified @int64 NOT NULL,       -- lines and units that count for metrics
    units_qualified @int64 NOT NULL,
    PRIMARY KEY (sale_seq, line, number)
) @clustered;

CREATE INDEX entry_booked ON entry (agreement, booked, sale_seq, line, number);

CREATE TABLE entry_share (
    sale_seq @int64 NOT NULL,
    line @int64 NOT NULL,
    number @int64 NOT NULL,
    payee @text NOT NULL,                  -- party, promoter, or the window: what is left open
    amount @int64 NOT NULL,
    PRIMARY KEY (sale_seq, line, number, payee)
) @clustered;

-- Lines held `unmatched` now: what an arriving course settles.
CREATE TABLE unmatched_line (
    provider @text NOT NULL,
    course_id @text NOT NULL,
    sale_seq @int64 NOT NULL,
    line @int64 NOT NULL,
    PRIMARY KEY (provider, course_id, sale_seq, line)
) @clustered;

-- rollups: sums of entries, in the same transaction ---------------------------------------------

-- Reports read staged = 0. What a background job settles again is added to rows with staged = 1,
-- which are added to those of staged = 0 in one transaction at its end.

-- grain 'period': day = first day of the month, provider and channel kept, course_id ''
-- grain 'day':    day kept, course_id ''
-- grain 'course': day = first day of the month, course_id kept
CREATE TABLE rollup (
    staged @int64 NOT NULL,
    agreement @text NOT NULL,
    version @int64 NOT NULL,
    grain @text NOT NULL,
    day @int64 NOT NULL,
    held @text NOT NULL,
    channel @text NOT NULL,
    provider @text NOT NULL,
    course_id @text NOT NULL,
    currency @text NOT NULL,
    sale_currency @text NOT NULL,
    line_count @int64 NOT NULL,
    quantity @int64 NOT NULL,
    gross @int64 NOT NULL,
    refunded @int64 NOT NULL,
    tax @int64 NOT NULL,
    store_fee @int64 NOT NULL,
    payment_fee @int64 NOT NULL,
    admin_fee @int64 NOT NULL,
    net_sale @int64 NOT NULL,
    net @int64 NOT NULL,
    added_back @int64 NOT NULL,
    base @int64 NOT NULL,                  -- what shares and tiers are taken of
    lines_qualified @int64 NOT NULL,       -- lines and units that count for metrics
    units_qualified @int64 NOT NULL,
    PRIMARY KEY (staged, agreement, version, grain, day, held, channel, provider, course_id, currency, sale_currency)
) @clustered;
CREATE INDEX rollup_held_channel ON rollup (channel, staged, grain, day, held);
-- What is converted, or waits for a rate: what a change of rates may touch.
CREATE INDEX rollup_converted ON rollup (grain, day) WHERE sale_currency <> currency;

CREATE TABLE rollup_share (
    staged @int64 NOT NULL,
    agreement @text NOT NULL,
    version @int64 NOT NULL,
    grain @text NOT NULL,
    day @int64 NOT NULL,
    held @text NOT NULL,
    channel @text NOT NULL,
    provider @text NOT NULL,
    course_id @text NOT NULL,
    currency @text NOT NULL,
    sale_currency @text NOT NULL,
    payee @text NOT NULL,
    amount @int64 NOT NULL,
    PRIMARY KEY (staged, agreement, version, grain, day, held, channel, provider, course_id, currency, sale_currency, payee)
) @clustered;

-- Orders to settle again in the background (an activation, an import): taken in chunks.
CREATE TABLE resettle (
    sale_seq @int64 NOT NULL PRIMARY KEY,
    asked_seq @int64 NOT NULL
) @strict;

-- staging: generation of the job that is at work, 0: none. visible: of the last one that ended.
CREATE TABLE resettle_head (
    id @int64 NOT NULL PRIMARY KEY CHECK (id = 1),
    visible @int64 NOT NULL,
    staging @int64 NOT NULL
) @strict;
INSERT INTO resettle_head (id, visible, staging) VALUES (1, 0, 0);

-- feedback ------------------------------------------------------------------------------------

-- The live rating of a learner of a course (a rating without a learner stands for itself): the
-- latest by (occurred_at, partner, event_id) of those not superseded.
CREATE TABLE rating (
    provider @text NOT NULL,
    course_id @text NOT NULL,
    rater @bytes NOT NULL,                 -- learner, or the fact's own key
    occurred_at @int64 NOT NULL,
    partner @text NOT NULL,
    event_id @text NOT NULL,
    seq @int64 NOT NULL,
    value @int64 NOT NULL,                 -- 1..5
    PRIMARY KEY (provider, course_id, rater)
) @clustered;

CREATE TABLE feedback_rollup (
    provider @text NOT NULL,
    course_id @text NOT NULL,
    kind @text NOT NULL,                   -- 'rating.1' … 'rating.5': live ratings; a type of
                                           -- fact: how many, reach by its count; 'usage.seconds'
    total @int64 NOT NULL,
    PRIMARY KEY (provider, course_id, kind)
) @clustered;

CREATE TABLE review (
    provider @text NOT NULL,
    course_id @text NOT NULL,
    occurred_at @int64 NOT NULL,
    seq @int64 NOT NULL,
    partner @text NOT NULL,
    event_id @text NOT NULL,
    value @int64 NOT NULL,                 -- 0: none given
    language @text NOT NULL,
    PRIMARY KEY (provider, course_id, occurred_at, seq)
) @clustered;
