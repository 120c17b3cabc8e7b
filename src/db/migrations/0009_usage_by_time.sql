-- no transaction: indexes for what asks by time alone. Safe online: built concurrently.
drop index concurrently if exists live.usage_at;
create index concurrently usage_at on live.usage using brin (at) with (autosummarize = on);
drop index concurrently if exists sandbox.usage_at;
create index concurrently usage_at on sandbox.usage using brin (at) with (autosummarize = on);
drop index concurrently if exists live.analysis_expires;
create index concurrently analysis_expires on live.analysis (expires_at);
drop index concurrently if exists sandbox.analysis_expires;
create index concurrently analysis_expires on sandbox.analysis (expires_at);
