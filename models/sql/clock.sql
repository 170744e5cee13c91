-- The one clock that decides (tests replace this function and move time by it).
CREATE OR REPLACE FUNCTION yima_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$ SELECT clock_timestamp() $$;
