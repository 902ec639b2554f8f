// The commands about data: those of heroku-postgresql, heroku-redis and heroku-kafka, by the file
// they are in.
#pragma once

#include "cli/command.h"
#include "cli/data_stores.h"

namespace renga::cli {

// addons_undelete.cpp
Command addons_undelete();

// pg.cpp
Command pg_info();
Command pg_psql();
Command pg_ps();
Command pg_kill();
Command pg_killall();
Command pg_promote();
Command pg_reset();
Command pg_wait();

// pg_credentials.cpp
Command pg_credentials();
Command pg_credentials_url();
Command pg_credentials_create();
Command pg_credentials_destroy();
Command pg_credentials_rotate();

// pg_backups.cpp
Command pg_backups();
Command pg_backups_capture();
Command pg_backups_info();
Command pg_backups_restore();
Command pg_backups_url();
Command pg_backups_download();
Command pg_backups_cancel();
Command pg_backups_delete();
Command pg_backups_schedule();
Command pg_backups_schedules();
Command pg_backups_unschedule();

// redis.cpp
Command redis_info();
Command redis_cli();
Command redis_credentials();
Command redis_promote();
Command redis_maxmemory();
Command redis_timeout();
Command redis_keyspace_notifications();

// kafka.cpp
Command kafka_info();
Command kafka_wait();
Command kafka_credentials();
Command kafka_promote();
Command kafka_consumer_groups();
Command kafka_consumer_groups_destroy();

// kafka_topics.cpp
Command kafka_topics();
Command kafka_topics_create();
Command kafka_topics_destroy();
Command kafka_topics_info();
Command kafka_topics_retention_time();
Command kafka_topics_compaction();

// kafka_messages.cpp
Command kafka_topics_tail();
Command kafka_topics_write();

// Attaches the add-on in its service's role (DATABASE), in the place of what is attached so now.
Result<int> promote(Context& context, const std::string& name, DataService service);
// Reads the app's name, unless --confirm gives it. Kind::invalid when it is another.
Result<void> confirm_app(Context& context, const std::string& warning);

}  // namespace renga::cli
