-- A catalog's courses, ?1 of them in each commit.
CREATE TEMP TABLE commit_of AS
    SELECT provider, course_id, version, (row_number() OVER (ORDER BY provider, course_id, version) - 1) / ?1 AS part
    FROM course;
CREATE UNIQUE INDEX temp.commit_of_course ON commit_of (provider, course_id, version);

INSERT INTO course VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET body = excluded.body, content_hash = excluded.content_hash;
SELECT c.part, k.* FROM course k JOIN commit_of c USING (provider, course_id, version)
    ORDER BY c.part, k.provider, k.course_id, k.version;

INSERT INTO course_subject VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;
SELECT c.part, s.* FROM course_subject s JOIN commit_of c USING (provider, course_id, version)
    ORDER BY c.part, s.provider, s.course_id, s.version, s.subject;
