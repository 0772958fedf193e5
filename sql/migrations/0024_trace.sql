-- Which distributed trace an entry was published in (kernel/trace_context.h), where its publisher has said so: what is
-- pushed of it goes on with that trace. publish_items() stores it; publish(), which a version before may still call, not.
alter table entries add column trace text;
