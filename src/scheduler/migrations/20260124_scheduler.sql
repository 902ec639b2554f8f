CREATE TABLE scheduler_jobs (
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  command TEXT NOT NULL,
  schedule TEXT NOT NULL,           -- as it was given
  time_zone TEXT NOT NULL,
  size TEXT NOT NULL,
  overlap TEXT NOT NULL,            -- skip, queue or allow
  next_at INTEGER,                  -- NULL: never again
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX scheduler_jobs_by_app ON scheduler_jobs (app);
CREATE INDEX scheduler_jobs_by_time ON scheduler_jobs (next_at);

CREATE TABLE scheduler_runs (
  id TEXT PRIMARY KEY,
  job TEXT NOT NULL REFERENCES scheduler_jobs(id) ON DELETE CASCADE,
  due_at INTEGER,                   -- the minute; NULL when somebody asked for it by hand
  state TEXT NOT NULL,              -- waiting, starting, running, succeeded, failed or skipped
  dyno TEXT NOT NULL,               -- the id of its one-off dyno, there or not
  dyno_name TEXT NOT NULL,
  output TEXT NOT NULL,             -- its output stream
  exit_status INTEGER,
  message TEXT NOT NULL,            -- why it was skipped or failed
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  UNIQUE (job, due_at)
) STRICT;
CREATE INDEX scheduler_runs_by_state ON scheduler_runs (state);
CREATE INDEX scheduler_runs_by_dyno ON scheduler_runs (dyno);
