// From a source to a release, as a person watches it: the build's output as it comes, taken up
// again where it was lost, and its end.
#pragma once

#include <boost/json.hpp>

#include "cli/command.h"
#include "cli/source_archive.h"

namespace renga::cli {

// Uploads the archive; the address that a build takes it from.
Result<std::string> upload_source(Context& context, const SourceArchive& archive);
// Starts the build, shows its output, and waits for its end. Exit status: 0 when it succeeded.
Result<int> build_and_follow(Context& context, const boost::json::object& wanted);
// Shows a build's output from the start to the end of the build.
Result<void> show_output(Context& context, const boost::json::value& build);
// The build that was named, or the newest. Kind::not_found.
Result<boost::json::value> build_named(Context& context);

}  // namespace renga::cli
