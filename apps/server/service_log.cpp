#include "apps/server/service_log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "apps/cli/terminal.hpp"
#include "base/text.hpp"

namespace flow {

ServiceLog::ServiceLog(LogFormat format, bool quiet, const Clock& clock)
    : format_(format), json_(clock, quiet, stdout), narrator_(wants_colours(STDOUT_FILENO), quiet) {}

void ServiceLog::serving(const std::string& flow, const std::string& file) {
  if (is_json()) return json_.note(LogEvent::Serving, {.flow = flow, .message = file});
  say(stdout, fmt::format("serving {} from {}\n", flow, file));
}

void ServiceLog::listening(const std::string& url) {
  if (is_json()) return json_.note(LogEvent::Listening, {.message = url});
  say(stdout, fmt::format("listening at {}\n", url));
}

void ServiceLog::reloaded(const std::string& by, const std::string& message) {
  if (is_json()) return json_.note(LogEvent::Reloaded, {.by = by, .message = message});
  say(stdout, fmt::format("configuration read anew, by {}: {}\n", printable(by), printable(message)));
}

void ServiceLog::reload_refused(const std::string& by, const std::string& message) {
  if (is_json()) return json_.note(LogEvent::ReloadRefused, {.by = by, .message = message});
  say(stderr, fmt::format("flow: the new configuration, wanted by {}, is not taken over: {}\n", printable(by),
                          message));
}

void ServiceLog::tenant_unserved(const std::string& by, const std::string& message) {
  if (is_json()) return json_.note(LogEvent::TenantUnserved, {.by = by, .message = message});
  say(stderr,
      fmt::format("flow: no flow is live for the new tenants, wanted by {}: {}\n", printable(by), message));
}

}  // namespace flow
