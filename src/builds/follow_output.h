// follow_output(): an output stream as it grows, for somebody who must be able to stop listening at
// any moment, even while the stream is silent. Holds the calling thread; safe from any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "logs/output_streams.h"

namespace renga::builds {

// Hands over everything from the start on until the stream is finished, `each` returns false, or
// `wanted`, asked five times a second, does. At most 1 MiB waits for `each`. False when there is no
// such stream.
bool follow_output(logs::OutputStreams& outputs, const std::string& id,
                   const std::function<bool(std::string_view)>& each,
                   const std::function<bool()>& wanted);

}  // namespace renga::builds
