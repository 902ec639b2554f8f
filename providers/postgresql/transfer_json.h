// Transfers and schedules as Heroku's CLI reads them. Private to this provider.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "postgresql/backups.h"

namespace renga::postgresql {

// Of a backup's to_url, before its uuid.
inline constexpr std::string_view backup_scheme = "renga-backup://";

boost::json::value transfer_json(const Transfer& transfer);
boost::json::value schedule_json(const Schedule& schedule);

}  // namespace renga::postgresql
