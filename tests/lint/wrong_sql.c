/* Every statement here breaks one rule of ARCHITECTURE.md, "SQL"; the lint must name each. */
DB_SQL(sql_like, "SELECT id FROM partner WHERE name LIKE $1");
DB_SQL(sql_for_update, "SELECT id FROM partner WHERE id = $1 FOR UPDATE");
DB_SQL(sql_json, "SELECT json_extract(profile, $1) FROM partner");
DB_SQL(sql_arrow, "SELECT profile -> $1 FROM partner");
DB_SQL(sql_writing_cte, "WITH gone AS (DELETE FROM api_key WHERE id = $1 RETURNING id)"
                        " SELECT id FROM gone");
DB_SQL(sql_sum, "SELECT SUM(seq) FROM partner_version WHERE seq > 0 AND partner = $1");
DB_SQL(sql_sum_half, "SELECT COALESCE(SUM(seq), 0) FROM partner_version");
DB_SQL(sql_nullable, "SELECT id FROM partner WHERE ($1 IS NULL OR currency = $1)");
DB_SQL(sql_coalesce, "SELECT COALESCE($1, name) FROM partner");
DB_SQL(sql_limit_null, "SELECT id FROM partner LIMIT NULL");
DB_SQL(sql_limit_negative, "SELECT id FROM partner LIMIT -1");
DB_SQL(sql_offset, "SELECT id FROM partner ORDER BY id LIMIT 10 OFFSET $1");
DB_SQL(sql_order, "SELECT id FROM api_key ORDER BY expires_at DESC, id LIMIT $1");
DB_SQL(sql_order_last, "SELECT k.id FROM api_key k ORDER BY k.id, k.expires_at");
DB_SQL(sql_gap, "SELECT id FROM partner WHERE id = $2");
DB_SQL(sql_question, "SELECT id FROM partner WHERE id = ?");
DB_SQL(sql_colon, "SELECT id FROM partner WHERE id = :id");
DB_SQL(sql_two, "DELETE FROM resettle; DELETE FROM rating");
DB_SQL(sql_quoted, "SELECT \"id\" FROM partner");
DB_SQL(sql_no_table, "SELECT id FROM partners");
DB_SQL(sql_no_column, "SELECT ident FROM partner");
DB_SQL(sql_replace, "INSERT OR REPLACE INTO setting (name, value) VALUES ($1, $2)");
DB_SQL(sql_upsert_select, "INSERT INTO setting (name, value) SELECT name, value FROM setting"
                          " ON CONFLICT (name) DO NOTHING");
DB_SQL(sql_nothing_returning, "INSERT INTO setting (name, value) VALUES ($1, $2)"
                              " ON CONFLICT (name) DO NOTHING RETURNING name");
DB_SQL(sql_scalar_max, "SELECT MAX(version, created_at) FROM partner");
DB_SQL(sql_greatest, "SELECT GREATEST(version, created_at) FROM partner");
DB_SQL(sql_now, "UPDATE partner SET updated_at = CURRENT_TIMESTAMP WHERE id = $1");
DB_SQL(sql_bytea, "SELECT partner FROM api_key WHERE hash = CAST($1 AS BYTEA)");
DB_SQL(sql_is, "SELECT id FROM api_key WHERE expires_at IS $1");
DB_SQL(sql_narrow, "SELECT id FROM partner WHERE version > 1 + $1 * 2 AND $2 = 3");
DB_SQL(sql_boolean, "SELECT version = 1 FROM partner WHERE id = $1");
DB_SQL(sql_ambiguous, "INSERT INTO partner_version (partner, seq) VALUES ($1, $2)"
                      " ON CONFLICT (partner) DO UPDATE SET seq = seq + excluded.seq");
DB_SQL(sql_group, "SELECT id, name FROM partner GROUP BY currency");
DB_SQL(sql_rowid, "SELECT rowid FROM partner");
DB_SQL(sql_average, "SELECT AVG(version) FROM partner");
DB_SQL(sql_fraction, "SELECT id FROM partner WHERE version > 1.5");
DB_SQL(sql_comment, "SELECT id FROM partner -- all of them");
DB_SQL(sql_pragma, "PRAGMA user_version");
DB_SQL(sql_scan, "SELECT seq FROM fact WHERE type = $1");
DB_SQL(sql_behind, "SELECT amount FROM rollup_share WHERE staged = 0 AND agreement > $1");
DB_SQL(sql_built, make_sql(partner));
