-- Settlement: closed periods, statements, postings, payments, disputes.

-- A period of an agreement, once it is closed. Days count from 1970-01-01.
CREATE TABLE period (
    agreement @text NOT NULL,
    day @int64 NOT NULL,                   -- its first
    label @text NOT NULL,                  -- 2026-01 | 2026-Q1
    to_day @int64 NOT NULL,                -- exclusive
    from_at @int64 NOT NULL,
    to_at @int64 NOT NULL,
    zone_hash @bytes NOT NULL,             -- of the zone's data that gave the bounds
    closed_seq @int64 NOT NULL,
    closed_at @int64 NOT NULL,
    closed_by @text NOT NULL,
    PRIMARY KEY (agreement, day)
) @strict;
CREATE INDEX period_label ON period (label, agreement);

-- What windows came to, as signed differences: the sum of the rows of (agreement, day, version,
-- term, kind, payee) is what stands. Written when `booked` is closed.
CREATE TABLE window_line (
    agreement @text NOT NULL,
    booked @int64 NOT NULL,                -- first day of the period that they were posted in
    number @int64 NOT NULL,
    day @int64 NOT NULL,                   -- first day of the period that they are about
    version @int64 NOT NULL,
    term @int64 NOT NULL,
    kind @text NOT NULL,
    payee @text NOT NULL,
    amount @int64 NOT NULL,
    PRIMARY KEY (agreement, booked, number)
) @clustered;

-- Published once, never changed.
CREATE TABLE statement (
    id @text NOT NULL PRIMARY KEY,
    partner @text NOT NULL,
    agreement @text NOT NULL,
    day @int64 NOT NULL,
    label @text NOT NULL,
    seq @int64 NOT NULL,                   -- of the close; order of knowledge
    currency @text NOT NULL,
    opening @int64 NOT NULL,
    earned @int64 NOT NULL,                -- lines and differences; reserves look back on it
    closing @int64 NOT NULL,
    due @int64 NOT NULL,
    payable @int64 NOT NULL,
    previous @text NOT NULL,               -- id of the one before in this series, or ''
    lines_hash @bytes NOT NULL,            -- of its lines as NDJSON
    hash @bytes NOT NULL,                  -- of the body
    body @text NOT NULL,                   -- canonical JSON, as answered
    published_at @int64 NOT NULL,
    dispute_until @int64 NOT NULL
) @strict;
CREATE UNIQUE INDEX statement_series ON statement (partner, agreement, day);
CREATE INDEX statement_partner ON statement (partner, seq, id);
CREATE INDEX statement_seq ON statement (seq, id);
CREATE INDEX statement_agreement ON statement (agreement, day, partner);

-- What a statement was made from, in pieces: the file that reproduces it, as its hash was taken.
CREATE TABLE statement_input (
    statement @text NOT NULL,
    number @int64 NOT NULL,
    body @bytes NOT NULL,
    PRIMARY KEY (statement, number)
) @strict;

-- What became of a statement; the last by seq stands.
CREATE TABLE statement_state (
    statement @text NOT NULL,
    seq @int64 NOT NULL,
    state @text NOT NULL,                  -- published | accepted | disputed | paid
    changed_at @int64 NOT NULL,
    changed_by @text NOT NULL,
    partner @text NOT NULL,                -- that of the statement: it polls for changes
    PRIMARY KEY (statement, seq)
) @clustered;
CREATE INDEX statement_state_partner ON statement_state (partner, seq, statement);
CREATE INDEX statement_state_seq ON statement_state (seq, statement);

CREATE TABLE dispute (
    id @text NOT NULL PRIMARY KEY,
    statement @text NOT NULL,
    line @text NOT NULL,                   -- of the statement, or ''
    opened_by @text NOT NULL,
    reason @text NOT NULL,
    claim_minor @int64,
    state @text NOT NULL,                  -- open | upheld | rejected | withdrawn
    resolution @text NOT NULL,
    correction @text NOT NULL,             -- event_id of the fact that corrects, or ''
    correction_by @text NOT NULL,          -- the partner whose fact it is, or ''
    opened_at @int64 NOT NULL,
    resolved_at @int64,
    seq @int64 NOT NULL
) @strict;
CREATE INDEX dispute_statement ON dispute (statement, opened_at, id);

-- Double entry: the postings of a transaction add up to zero per currency.
CREATE TABLE posting (
    seq @int64 NOT NULL,
    number @int64 NOT NULL,
    kind @text NOT NULL,                   -- earnings | withholding | adjustment | payment | …
    partner @text NOT NULL,
    account @text NOT NULL,                -- settlement | tax_withheld | cash | deposit | …
    agreement @text NOT NULL,              -- or ''
    currency @text NOT NULL,
    amount @int64 NOT NULL,                -- + the partner is owed, - it owes
    reference @text NOT NULL,              -- statement; operator/payment_id
    posted_at @int64 NOT NULL,
    PRIMARY KEY (seq, number)
) @clustered;
CREATE INDEX posting_agreement ON posting (agreement, kind, seq);
CREATE INDEX posting_account ON posting (partner, account, agreement, currency, seq);
CREATE INDEX posting_partner ON posting (partner, seq, number);
CREATE INDEX posting_reference ON posting (reference, kind, seq, number);

-- How much of a confirmed payment settles which statement; signed differences, as entries are.
CREATE TABLE payment_cover (
    statement @text NOT NULL,
    seq @int64 NOT NULL,
    payment @text NOT NULL,                -- its operator, '/', its payment_id
    amount @int64 NOT NULL,                -- + settles
    PRIMARY KEY (statement, seq, payment)
) @clustered;
CREATE INDEX payment_cover_payment ON payment_cover (payment, statement);

-- Distinct learners of a version in a month: how many qualifying lines each has.
CREATE TABLE window_learner (
    agreement @text NOT NULL,
    day @int64 NOT NULL,                   -- first of the month
    version @int64 NOT NULL,
    learner @bytes NOT NULL,
    line_count @int64 NOT NULL,
    PRIMARY KEY (agreement, day, version, learner)
) @clustered;
CREATE INDEX window_learner_of ON window_learner (agreement, learner, day, version);

-- A promoter's link of a channel: what touches name. All links of a promoter at a channel have one
-- parent.
CREATE TABLE link (
    channel @text NOT NULL,
    code @text NOT NULL,
    promoter @text NOT NULL,
    parent @text NOT NULL,                 -- the promoter who brought it, or ''
    learner_lookup @bytes,                 -- of the promoter as a learner: see learner_key
    created_at @int64 NOT NULL,
    accepted_at @int64,                    -- NULL: proposed
    closed_at @int64,                      -- touches from then on do not count
    seq @int64 NOT NULL,
    PRIMARY KEY (channel, code)
) @strict;
CREATE INDEX link_promoter ON link (promoter, channel, code);

-- What a channel sells; of its versions the last that began by then applies. Weights are frozen.
CREATE TABLE offer_version (
    channel @text NOT NULL,
    offer @text NOT NULL,
    version @int64 NOT NULL,
    from_at @int64 NOT NULL,               -- ascends with the version
    kind @text NOT NULL,                   -- single | bundle | membership | challenge
    body @text NOT NULL,                   -- canonical JSON, weights and defaults written out
    hash @bytes NOT NULL,                  -- of the body
    created_at @int64 NOT NULL,
    seq @int64 NOT NULL,
    PRIMARY KEY (channel, offer, version)
) @strict;

CREATE TABLE offer_item (
    channel @text NOT NULL,
    offer @text NOT NULL,
    version @int64 NOT NULL,
    rank @int64 NOT NULL,                  -- 0, 1, 2 …: its place among the items
    provider @text NOT NULL,
    course_id @text NOT NULL,
    weight @int64 NOT NULL,
    PRIMARY KEY (channel, offer, version, rank)
) @clustered;
CREATE INDEX offer_item_provider ON offer_item (provider, channel, offer, version);

-- A sale of an offer as a whole. Its lines (sale_line) are what the version of the offer that was
-- in force makes of it: one without a course while there is none.
CREATE TABLE bundle_sale (
    seq @int64 NOT NULL PRIMARY KEY,
    channel @text NOT NULL,
    offer @text NOT NULL,
    occurred_at @int64 NOT NULL,
    paid @int64 NOT NULL,
    tax @int64 NOT NULL,                   -- -1: not given, as are the fees
    store_fee @int64 NOT NULL,
    payment_fee @int64 NOT NULL,
    discount_provider @int64 NOT NULL,
    discount_channel @int64 NOT NULL,
    discount_platform @int64 NOT NULL
) @strict;
CREATE INDEX bundle_sale_offer ON bundle_sale (channel, offer, occurred_at);

-- A pool of a channel: the money of its members, divided every month among the providers that joined.
-- The version in force in a month divides that.
CREATE TABLE pool_version (
    channel @text NOT NULL,
    pool @text NOT NULL,
    version @int64 NOT NULL,
    from_day @int64 NOT NULL,              -- first of its first month; ascends with the version
    body @text NOT NULL,                   -- canonical JSON, defaults written out
    hash @bytes NOT NULL,                  -- of the body
    created_at @int64 NOT NULL,
    seq @int64 NOT NULL,
    PRIMARY KEY (channel, pool, version)
) @strict;

-- What a learner's memberships put into a pool in a month: sums of the shares of entries.
CREATE TABLE pool_member (
    channel @text NOT NULL,
    pool @text NOT NULL,
    day @int64 NOT NULL,                   -- first of the month
    learner @bytes NOT NULL,               -- empty: of nobody known
    fee_minor @int64 NOT NULL,
    PRIMARY KEY (channel, pool, day, learner)
) @clustered;

-- A month of a pool that members put something into, and how it was divided last.
CREATE TABLE pool_month (
    channel @text NOT NULL,
    pool @text NOT NULL,
    day @int64 NOT NULL,                   -- first of the month
    stale @int64 NOT NULL,                 -- 1: something has come since that may divide it otherwise
    seq @int64 NOT NULL,                   -- of the last division that changed a share; 0: none yet
    divided_at @int64 NOT NULL,
    took_us @int64 NOT NULL,               -- what dividing it cost, in time
    version @int64 NOT NULL,               -- of the pool; 0: none was in force
    fees @int64 NOT NULL,
    idle @int64 NOT NULL,                  -- of members who used nothing that counts
    unclaimed @int64 NOT NULL,
    members @int64 NOT NULL,
    idle_members @int64 NOT NULL,
    units @int64 NOT NULL,
    sheet_hash @bytes NOT NULL,            -- of what it was divided by: see ingest/pool_division.h
    PRIMARY KEY (channel, pool, day)
) @strict;
CREATE INDEX pool_month_stale ON pool_month (stale, divided_at);

-- What a provider gets of a month, by the version and term by which it joined.
CREATE TABLE pool_share (
    channel @text NOT NULL,
    pool @text NOT NULL,
    day @int64 NOT NULL,
    provider @text NOT NULL,
    agreement @text NOT NULL,
    version @int64 NOT NULL,
    term @int64 NOT NULL,                  -- index of the term
    units @int64 NOT NULL,
    amount @int64 NOT NULL,
    exact @text NOT NULL,                  -- the provider's share before rounding
    PRIMARY KEY (channel, pool, day, provider, agreement, version, term)
) @clustered;
CREATE INDEX pool_share_agreement ON pool_share (agreement, day);

-- Rounds of challenges: entries that are settled with each other.
CREATE TABLE challenge_round (
    channel @text NOT NULL,
    offer @text NOT NULL,
    round @text NOT NULL,                  -- 2026-01-05, the day on which all begin, or the month in which
                                           -- their windows end
    last_day @int64 NOT NULL,              -- no window ends later
    due_at @int64 NOT NULL,                -- settled by itself from then on
    touched_at @int64 NOT NULL,            -- when something of it was heard last
    settled_seq @int64 NOT NULL,           -- of the settlement; 0: not settled
    settled_at @int64,
    settled_by @text NOT NULL,             -- '' by itself
    currency @text NOT NULL,
    entries @int64 NOT NULL,               -- as settled, like all that follows
    finishers @int64 NOT NULL,
    deposits @int64 NOT NULL,
    payouts @int64 NOT NULL,
    forfeited @int64 NOT NULL,
    fee @int64 NOT NULL,
    pot @int64 NOT NULL,
    charity @int64 NOT NULL,
    carried_in @int64 NOT NULL,
    carried @int64 NOT NULL,
    PRIMARY KEY (channel, offer, round)
) @strict;
CREATE INDEX challenge_round_due ON challenge_round (settled_seq, due_at);

-- An entry: what stands of its deposit, and what it came to.
CREATE TABLE challenge_entry (
    channel @text NOT NULL,
    entry_id @text NOT NULL,
    seq @int64 NOT NULL,                   -- of the fact that joined; 0: it was taken back
    offer @text NOT NULL,
    round @text NOT NULL,                  -- '': the offer is not known as it was then
    currency @text NOT NULL,
    first_day @int64 NOT NULL,
    last_day @int64 NOT NULL,
    held @int64 NOT NULL,                  -- of the deposit, as posted
    cash @int64 NOT NULL,                  -- what the channel has of it, as posted
    done_days @int64 NOT NULL,             -- as settled, like all that follows
    makeups @int64 NOT NULL,
    payout @int64 NOT NULL,
    forfeited @int64 NOT NULL,
    fee @int64 NOT NULL,                   -- its part of the round's
    PRIMARY KEY (channel, entry_id)
) @strict;
CREATE INDEX challenge_entry_round ON challenge_entry (channel, offer, round, entry_id);
