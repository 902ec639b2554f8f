// What a long-lived small program gives back once it has started.
#pragma once

namespace renga::os {

// Drops the pages of this program's and its libraries' files that were only looked at while it was
// loaded, and what the heap no longer uses. What is needed again comes back from the page cache,
// one fault each. Nothing that was written to is touched.
void give_back_memory();

}  // namespace renga::os
