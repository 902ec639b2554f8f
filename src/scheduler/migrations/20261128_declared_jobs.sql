-- Those that the app.json of what runs asks for: the next deploy decides whether they stay.
CREATE TABLE scheduler_declared (
  job TEXT PRIMARY KEY REFERENCES scheduler_jobs(id) ON DELETE CASCADE
) STRICT;
