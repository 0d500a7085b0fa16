-- After real_retail.sql: what was sold, line by line, and the ten best sellers.
.mode csv
.output sold.csv
SELECT s.month, substr(d.at, 1, 10), d.code, s.paid, MIN(s.paid, s.asked)
FROM sold s JOIN dated d ON d.id = s.id ORDER BY s.id;
.output best.csv
SELECT d.code FROM sold s JOIN dated d ON d.id = s.id GROUP BY d.code ORDER BY COUNT(*) DESC, d.code LIMIT 10;
.output
