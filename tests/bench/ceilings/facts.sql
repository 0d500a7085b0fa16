-- What facts leave in the books behind ?1 and up to ?3, with ?2 of them in each commit.
CREATE TEMP TABLE commit_of AS
    SELECT seq, max(seq) OVER (PARTITION BY n / ?2) AS last
    FROM (SELECT seq, row_number() OVER (ORDER BY seq) - 1 AS n FROM fact WHERE seq > ?1 AND seq <= ?3);
CREATE UNIQUE INDEX temp.commit_of_seq ON commit_of (seq, last);

UPDATE journal_head SET seq = ?1;
SELECT DISTINCT last, last FROM commit_of ORDER BY last;

INSERT INTO fact_key VALUES (?, ?, ?, ?);
SELECT c.last, k.* FROM fact_key k JOIN commit_of c ON c.seq = k.seq ORDER BY c.last, k.partner, k.event_id;

INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
SELECT c.last, f.* FROM fact f JOIN commit_of c ON c.seq = f.seq ORDER BY f.seq;

INSERT INTO learner_key VALUES (?, ?);
SELECT c.last, k.*
    FROM (SELECT learner, min(seq) AS seq FROM fact WHERE learner IS NOT NULL GROUP BY learner) f
    JOIN commit_of c ON c.seq = f.seq JOIN learner_key k ON k.learner = f.learner
    ORDER BY c.last, k.lookup;

INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?, ?, ?);
SELECT c.last, s.* FROM sale s JOIN commit_of c ON c.seq = s.seq ORDER BY s.seq;

INSERT INTO order_key VALUES (?, ?, ?);
SELECT c.last, k.* FROM order_key k JOIN commit_of c ON c.seq = k.seq ORDER BY c.last, k.channel, k.order_id;

INSERT INTO sale_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
SELECT c.last, l.* FROM sale_line l JOIN commit_of c ON c.seq = l.seq ORDER BY l.seq, l.line;

INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
SELECT c.last, e.* FROM entry e JOIN commit_of c ON c.seq = e.sale_seq ORDER BY e.sale_seq, e.line, e.number;

INSERT INTO entry_share VALUES (?, ?, ?, ?, ?);
SELECT c.last, e.* FROM entry_share e JOIN commit_of c ON c.seq = e.sale_seq
    ORDER BY e.sale_seq, e.line, e.number, e.payee;

-- Sums are added to once in a commit, whatever number of its facts they are of.
CREATE TEMP TABLE rolled AS
    SELECT c.last, e.*, g.grain, CASE g.grain WHEN 'day' THEN e.day
        ELSE unixepoch(e.day * 86400, 'unixepoch', 'start of month') / 86400 END AS grain_day,
        CASE g.grain WHEN 'course' THEN e.course_id ELSE '' END AS grain_course
    FROM entry e JOIN commit_of c ON c.seq = e.sale_seq
    JOIN (SELECT 'period' AS grain UNION ALL SELECT 'day' UNION ALL SELECT 'course') g;

INSERT INTO rollup VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET line_count = line_count + excluded.line_count, quantity = quantity + excluded.quantity,
        gross = gross + excluded.gross, refunded = refunded + excluded.refunded, tax = tax + excluded.tax,
        store_fee = store_fee + excluded.store_fee, payment_fee = payment_fee + excluded.payment_fee,
        admin_fee = admin_fee + excluded.admin_fee, net_sale = net_sale + excluded.net_sale, net = net + excluded.net,
        added_back = added_back + excluded.added_back, base = base + excluded.base,
        lines_qualified = lines_qualified + excluded.lines_qualified,
        units_qualified = units_qualified + excluded.units_qualified;
SELECT last, agreement, version, grain, grain_day, held, channel, provider, grain_course, currency, sale_currency,
        sum(line_count), sum(quantity), sum(gross), sum(refunded), sum(tax), sum(store_fee), sum(payment_fee),
        sum(admin_fee), sum(net_sale), sum(net), sum(added_back), sum(base), sum(lines_qualified), sum(units_qualified)
    FROM rolled GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11;

INSERT INTO rollup_share VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
SELECT r.last, r.agreement, r.version, r.grain, r.grain_day, r.held, r.channel, r.provider, r.grain_course, r.currency,
        r.sale_currency, s.payee, sum(s.amount)
    FROM rolled r JOIN entry_share s ON s.sale_seq = r.sale_seq AND s.line = r.line AND s.number = r.number
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;

INSERT INTO feedback_rollup VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET total = total + excluded.total;
SELECT c.last, f.provider, f.course_id, f.type, count(*) FROM fact f JOIN commit_of c ON c.seq = f.seq
    WHERE f.type = 'progress' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

INSERT INTO partner_version VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq;
SELECT g.last, v.partner, g.last FROM (SELECT DISTINCT last FROM commit_of) g
    JOIN partner_version v WHERE v.seq > 0 ORDER BY g.last, v.partner;
