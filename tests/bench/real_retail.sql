-- What the report must say of the retail data, from the raw file alone, by other means than the
-- service and the conversion: rows `month|gross|refunded|net|goods` in pence, then `excess` and the
-- counts. An invoice with a negative quantity, a negative price or a price below a penny is left out
-- whole: an order is one fact.
.bail on
.mode list
.separator |

CREATE TABLE line AS
SELECT rowid AS id, InvoiceNo AS invoice, StockCode AS code, CAST(Quantity AS INTEGER) AS quantity,
       CAST(ROUND(UnitPrice * 1000) AS INTEGER) AS mills, InvoiceDate AS at, CustomerID AS customer,
       InvoiceNo LIKE 'C%' AS cancels
FROM raw;
CREATE INDEX line_invoice ON line (invoice);
CREATE TABLE invoice AS
SELECT invoice, MIN(id) AS first, MAX(quantity <= 0 OR mills < 0 OR mills % 10 <> 0) AS bad, cancels
FROM line GROUP BY invoice;
CREATE UNIQUE INDEX invoice_name ON invoice (invoice);
-- The date of an invoice is that of its first line.
CREATE TABLE dated AS
SELECT l.id, l.invoice, l.code, l.quantity, l.mills, l.customer, l.cancels, f.at, i.bad
FROM line l JOIN invoice i ON i.invoice = l.invoice JOIN line f ON f.id = i.first;
CREATE INDEX dated_bought ON dated (customer, code, cancels, at, invoice, id);

-- A cancelled line goes back to the latest purchase of that item by that customer before it.
CREATE TABLE back AS
SELECT c.id, -c.quantity * c.mills / 10 AS amount,
       (SELECT b.id FROM dated b
        WHERE b.customer = c.customer AND b.code = c.code AND b.cancels = 0 AND b.quantity > 0
          AND b.at <= c.at
        ORDER BY b.at DESC, b.invoice DESC, b.id DESC LIMIT 1) AS sale
FROM dated c WHERE c.cancels = 1 AND c.customer <> '';
CREATE INDEX back_sale ON back (sale);

CREATE TABLE sold AS
SELECT d.id, substr(d.at, 1, 7) AS month, d.quantity * d.mills / 10 AS paid,
       COALESCE((SELECT SUM(amount) FROM back WHERE sale = d.id), 0) AS asked
FROM dated d WHERE d.cancels = 0 AND d.bad = 0;

SELECT month, SUM(paid), SUM(MIN(paid, asked)), SUM(paid - MIN(paid, asked)),
       SUM(((paid - MIN(paid, asked)) * 7 + 5) / 10)
FROM sold GROUP BY month ORDER BY month;
SELECT 'excess', SUM(asked - MIN(paid, asked)) FROM sold;
SELECT 'orders', COUNT(*) FROM invoice WHERE cancels = 0 AND bad = 0;
SELECT 'rejected', COUNT(*) FROM invoice WHERE cancels = 0 AND bad = 1;
