/* The lint must take every statement here. */
#define PARTNER_COLUMNS "id, name, " PARTNER_MORE
#define PARTNER_MORE "currency"
DB_SQL(sql_macro, "SELECT " PARTNER_COLUMNS " FROM partner"
                  /* a comment of C, with "quotes" and DB_SQL( */
                  " WHERE id = $1");
DB_SQL(sql_literal, "SELECT id FROM partner WHERE name = 'LIKE; ? :x -- it''s' AND id = $1");
DB_SQL(sql_nullable, "SELECT id FROM partner"
                     " WHERE (CAST($1 AS TEXT) IS NULL OR currency = $1) AND version > $2 LIMIT 10");
DB_SQL(sql_sums, "SELECT CAST(COALESCE(SUM(seq), 0) AS BIGINT), COUNT(*), CAST(SUM(CASE WHEN"
                 " seq > $1 THEN 1 ELSE 0 END) AS BIGINT) FROM partner_version WHERE partner = $2");
DB_SQL(sql_upsert, "INSERT INTO partner_version (partner, seq) VALUES ($1, $2)"
                   " ON CONFLICT (partner) DO UPDATE SET seq = partner_version.seq + excluded.seq");
DB_SQL(sql_order, "SELECT id FROM api_key ORDER BY expires_at NULLS FIRST, id LIMIT $1");
DB_SQL(sql_keyset, "SELECT id FROM partner WHERE (created_at, id) > ($1, $2)"
                   " ORDER BY created_at, id LIMIT $3");
DB_SQL(sql_exists, "SELECT 1 FROM partner WHERE id = $1");
DB_SQL(sql_head, "UPDATE journal_head SET seq = seq + $1 WHERE id = 1 RETURNING seq");
DB_SQL(sql_guard, "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL");
DB_SQL(sql_copy, "INSERT INTO setting (name, value) SELECT name, value FROM setting WHERE name = $1"
                 " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
DB_SQL(sql_cte, "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL"
                " SELECT i + 1 FROM n WHERE i < $1) SELECT i FROM n ORDER BY i");
