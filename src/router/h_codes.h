// The router's own answers: Heroku's H codes with the status they show and the level they log at.
#pragma once

#include <string_view>

namespace renga::router {

struct HCode {
  std::string_view code;
  std::string_view desc;
  int status = 503;
  std::string_view at = "error";
  std::string_view sock = {};  // "backend" or "client": which connection broke
};

namespace h {
inline constexpr HCode app_crashed{"H10", "App crashed"};
inline constexpr HCode backlog_too_deep{"H11", "Backlog too deep"};
inline constexpr HCode request_timeout{"H12", "Request timeout"};
inline constexpr HCode closed_without_response{"H13", "Connection closed without response"};
inline constexpr HCode no_web_processes{"H14", "No web processes running"};
inline constexpr HCode idle_connection{"H15", "Idle connection"};
inline constexpr HCode poor_response{"H17", "Poorly formatted HTTP response"};
inline constexpr HCode unasked_upgrade{"H17", "Poorly formatted HTTP response", 502};
inline constexpr HCode interrupted{"H18", "Server Request Interrupted", 503, "error", "backend"};
inline constexpr HCode connection_timeout{"H19", "Backend connection timeout"};
inline constexpr HCode boot_timeout{"H20", "App boot timeout"};
inline constexpr HCode connection_refused{"H21", "Backend connection refused"};
inline constexpr HCode connection_limit{"H22", "Connection limit reached"};
inline constexpr HCode forced_close{"H24", "Forced close"};
inline constexpr HCode bad_length{"H25", "HTTP restriction: invalid content length", 502};
inline constexpr HCode large_cookie{"H25", "HTTP restriction: oversized cookie", 502};
inline constexpr HCode large_header{"H25", "HTTP restriction: oversized header", 502};
inline constexpr HCode large_status_line{"H25", "HTTP restriction: oversized status line", 502};
inline constexpr HCode unknown_expectation{"H26", "Request Error", 417};
inline constexpr HCode bad_header{"H26", "Request Error", 400};
inline constexpr HCode bad_chunk{"H26", "Request Error", 400};
inline constexpr HCode client_gone{"H27", "Client Request Interrupted", 499, "warning", "client"};
inline constexpr HCode client_idle{"H28", "Client Connection Idle", 499, "warning"};
inline constexpr HCode misdirected{"H31", "Misdirected Request", 421};
inline constexpr HCode other_certificate{"H32", "TLS Certificate Mismatch", 495};
inline constexpr HCode stream_broken{"H33", "HTTP/2 Stream Broken", 499, "warning", "client"};
inline constexpr HCode all_quarantined{"H34", "All up dynos are quarantined"};
inline constexpr HCode maintenance{"H80", "Maintenance mode", 503, "info"};
inline constexpr HCode blank_app{"H81", "Blank app", 502, "info"};
inline constexpr HCode platform_error{"H99", "Platform error"};
}  // namespace h

}  // namespace renga::router
