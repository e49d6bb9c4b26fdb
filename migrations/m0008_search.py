"""What is searched, kept apart for each audience, and what waits to be indexed."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-22T00:00:08:000000"
VERSION = "1.38.0"
DESCRIPTION = "search documents, their words, the outbox of the index"

SQL = """
-- One row for each thing and audience, narrow: it is read for every hit.
-- facets holds numbers of search_facet.
CREATE TABLE search_document (
    index_name text COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    fresh_on date,
    latitude double precision,
    longitude double precision,
    sort_name text COLLATE "C" NOT NULL,
    facets integer[] NOT NULL,
    PRIMARY KEY (audience, index_name, id)
) PARTITION BY LIST (audience);
CREATE TABLE search_document_public PARTITION OF search_document FOR VALUES IN ('public');
CREATE TABLE search_document_members PARTITION OF search_document FOR VALUES IN ('members');

-- What a document was made of: its digest, and the spellings it adds to search_term, parted by
-- spaces. Read only to change it.
CREATE TABLE search_source (
    index_name text COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    digest bytea NOT NULL,
    words text NOT NULL,
    PRIMARY KEY (audience, index_name, id)
) PARTITION BY LIST (audience);
CREATE TABLE search_source_public PARTITION OF search_source FOR VALUES IN ('public');
CREATE TABLE search_source_members PARTITION OF search_source FOR VALUES IN ('members');

-- Each neutral key of a document once, behind the letter of the best field it stands in: 'a' title,
-- 'b' summary, 'c' vocabulary, 'd' body; 's' is for stop words of the title.
CREATE TABLE search_text (
    index_name text COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    vector tsvector NOT NULL,
    PRIMARY KEY (audience, index_name, id)
) PARTITION BY LIST (audience);
CREATE TABLE search_text_public PARTITION OF search_text FOR VALUES IN ('public');
CREATE TABLE search_text_members PARTITION OF search_text FOR VALUES IN ('members');
CREATE INDEX search_text_vector ON search_text USING gin (vector) WITH (fastupdate = off);

-- Every spelling that an audience's documents use, and in how many of them.
CREATE TABLE search_term (
    index_name text COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    spelling text COLLATE "C" NOT NULL,
    form text NOT NULL,
    key text COLLATE "C" NOT NULL,
    documents integer NOT NULL,
    PRIMARY KEY (audience, index_name, spelling)
) PARTITION BY LIST (audience);
CREATE TABLE search_term_public PARTITION OF search_term FOR VALUES IN ('public')
    WITH (fillfactor = 80);
CREATE TABLE search_term_members PARTITION OF search_term FOR VALUES IN ('members')
    WITH (fillfactor = 80);
CREATE INDEX search_term_key ON search_term (index_name, key);
CREATE INDEX search_term_form ON search_term USING gin (form gin_trgm_ops) WITH (fastupdate = off);

CREATE TABLE search_facet (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    index_name text COLLATE "C" NOT NULL,
    facet text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    UNIQUE (index_name, facet, value)
);

-- version grows with each change of what the audience can find.
CREATE TABLE search_version (
    index_name text COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (index_name, audience)
);

-- Keys, not contents: of things that changed since they were indexed. A key may stand twice.
CREATE TABLE search_outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    index_name text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX search_outbox_index ON search_outbox (index_name, seq);

-- Keys whose documents Meilisearch does not surely have yet: they come from search_outbox. tasks
-- are those of the server that a key was sent with, none before it is; a key may stand twice.
CREATE TABLE search_mirror_outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    index_name text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT now(),
    tasks bigint[]
);
CREATE INDEX search_mirror_outbox_index ON search_mirror_outbox (index_name, seq);

-- Documents that have each of some words (numbered in words, wanted of them in all), with the sum
-- of the best tier of each. A word may be looked for in several ways, each a tsquery and its tier.
-- The planner cannot foresee how many are found: looking up each of thousands in the index, or
-- comparing all with all, is what it must be kept from.
CREATE FUNCTION search_matching(
    in_index text, in_audience text,
    words integer[], tiers integer[], queries text[], wanted integer)
RETURNS TABLE (
    id bigint, fresh_on date, latitude double precision, longitude double precision,
    sort_name text, facets integer[], score bigint)
LANGUAGE plpgsql STABLE ROWS 1000 SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH way AS MATERIALIZED (
        SELECT word, tier, query::tsquery AS query
        FROM unnest(words, tiers, queries) AS w (word, tier, query)),
    found AS (
        SELECT t.id, w.word, max(w.tier) AS tier
        FROM way w JOIN search_text t ON t.vector @@ w.query
        WHERE t.audience = in_audience AND t.index_name = in_index GROUP BY t.id, w.word),
    matched AS (
        SELECT f.id, sum(f.tier) AS score FROM found f GROUP BY f.id HAVING count(*) = wanted)
    SELECT d.id, d.fresh_on, d.latitude, d.longitude, d.sort_name, d.facets, m.score
    FROM matched m JOIN search_document d ON d.id = m.id
    WHERE d.audience = in_audience AND d.index_name = in_index;
END $$;

-- Spellings near a word. One edit more than asked for comes back too: Levenshtein counts two
-- letters that changed places as two, and the caller counts them as one.
CREATE FUNCTION search_similar(in_index text, in_audience text, word text, edits integer)
RETURNS TABLE (spelling text, form text, key text, documents integer)
LANGUAGE sql STABLE SET pg_trgm.similarity_threshold = 0.2 AS $$
    SELECT t.spelling, t.form, t.key, t.documents FROM search_term t
    WHERE t.audience = in_audience AND t.index_name = in_index
      AND length(t.form) BETWEEN length(word) - edits AND length(word) + edits
      AND levenshtein_less_equal(t.form, word, edits + 1) <= edits + 1 AND t.form % word
$$;

-- The same for the beginning of a word.
CREATE FUNCTION search_similar_start(in_index text, in_audience text, word text, edits integer)
RETURNS TABLE (spelling text, form text, key text, documents integer)
LANGUAGE sql STABLE SET pg_trgm.word_similarity_threshold = 0.35 AS $$
    SELECT t.spelling, t.form, t.key, t.documents FROM search_term t
    WHERE t.audience = in_audience AND t.index_name = in_index AND length(t.form) > length(word)
      AND levenshtein_less_equal(left(t.form, length(word)), word, 2 * edits) <= 2 * edits
      AND word <% t.form
$$;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
