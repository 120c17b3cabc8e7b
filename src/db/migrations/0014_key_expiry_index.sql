-- no transaction: finds the keys that end soon among all. Safe online: built concurrently.
drop index concurrently if exists live.api_key_expires;
create index concurrently api_key_expires on live.api_key (expires_at) where expires_at is not null;
drop index concurrently if exists sandbox.api_key_expires;
create index concurrently api_key_expires on sandbox.api_key (expires_at) where expires_at is not null;
