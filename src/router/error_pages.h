// The pages that the router itself answers with: small and plain, with the code in them, or the
// app's own page (ERROR_PAGE_URL, MAINTENANCE_PAGE_URL) in a frame.
#pragma once

#include <string>
#include <string_view>

#include "router/h_codes.h"
#include "router/table.h"

namespace renga::router {

// What went wrong as HTML. `route` may be null: the app is not known then.
std::string error_page(const HCode& code, const Route* route);
// For an address that no app has (404).
std::string no_such_app_page();
// For a request that was refused before its app was known; `reason` is a sentence.
std::string refusal_page(int status, std::string_view reason);

}  // namespace renga::router
