#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "import/address.hpp"
#include "import/names.hpp"

namespace flow::importer {
namespace {

struct Scheme {
  std::string name;
  Place at;
  int rank = 0;  // the lower, the better for what runs alone
};

bool is_of_microsoft(std::string_view url) {
  for (const std::string_view host :
       {"https://login.microsoftonline.", "https://login.windows.net", "https://login.windows-ppe.net"})
    if (lower_ascii(url).starts_with(host)) return true;
  return false;
}

bool is_plain(std::string_view text) {
  return text.size() <= 300 && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string literal(std::string_view text) {
  return quoted(is_plain(text) ? text : std::string_view());
}

// The scope by which an app asks for all that it was granted at the resource of these scopes.
std::string app_scope(const Place& scopes, const std::string& base) {
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    const std::string_view scope = scopes.is_object() ? scopes.name(i) : scopes.item(i).text();
    const std::size_t host = scope.find("://");
    if (host == std::string_view::npos || !is_plain(scope)) continue;
    const std::size_t end = scope.rfind('/');
    return std::string(scope.substr(0, end > host + 2 ? end : scope.size())) + "/.default";
  }
  const std::size_t host = base.find("://");
  if (host == std::string::npos) return {};
  return base.substr(0, base.find('/', host + 3)) + "/.default";
}

class Chooser {
 public:
  Chooser(const Place& root, References& references, Findings& findings)
      : root_(root), references_(references), findings_(findings) {
    Place schemes = root["securityDefinitions"];
    if (!schemes) schemes = root["components"]["securitySchemes"];
    for (std::size_t i = 0; schemes.is_object() && i < schemes.size(); ++i) {
      const Place at = references_.follow(schemes.item(i));
      if (at.is_object())
        known_.push_back({.name = std::string(schemes.name(i)), .at = at, .rank = rank(at)});
    }
  }

  ChosenAuth choose() {
    if (known_.empty()) return {};
    std::vector<const Scheme*> wanted = required();
    const Scheme* best = nullptr;
    for (const Scheme* scheme : wanted)
      if (best == nullptr || scheme->rank < best->rank) best = scheme;
    if (best == nullptr) return {};
    return as_clause(*best);
  }

 private:
  static int rank(const Place& at) {
    const std::string type = lower_ascii(at["type"].text());
    if (type == "oauth2") return is_for_apps(at) ? 0 : 3;
    if (type == "apikey") return 1;
    if (type == "basic" || type == "http") return 2;
    return 4;
  }

  static bool is_for_apps(const Place& at) {
    return at["flow"].text() == "application" || at["flows"]["clientCredentials"].is_object();
  }

  // The schemes that the document asks for; all it defines when it asks for none. Of those that go together
  // the others are findings.
  std::vector<const Scheme*> required() {
    std::vector<const Scheme*> wanted;
    const Place security = root_["security"];
    for (std::size_t i = 0; security.is_list() && i < security.size(); ++i) {
      const Place one = security.item(i);
      for (std::size_t j = 0; one.is_object() && j < one.size(); ++j)
        if (const Scheme* scheme = named(one.name(j)))
          wanted.push_back(scheme);
        else
          findings_.note(one.item(j), "this credential is not defined");
      if (one.size() > 1)
        findings_.loss(one, "requests carry several credentials at once, of which one is translated");
    }
    if (!wanted.empty()) return wanted;
    for (const Scheme& scheme : known_) wanted.push_back(&scheme);
    return wanted;
  }

  const Scheme* named(std::string_view name) const {
    const auto found = std::ranges::find(known_, name, &Scheme::name);
    return found == known_.end() ? nullptr : &*found;
  }

  ChosenAuth as_clause(const Scheme& scheme) {
    ChosenAuth auth;
    auth.scheme = scheme.name;
    const std::string type = lower_ascii(scheme.at["type"].text());
    const std::string word = lower_ascii(scheme.at["scheme"].text());
    if (type == "apikey") {
      key(scheme.at, auth);
    } else if (type == "basic" || (type == "http" && word == "basic")) {
      auth.clause = "basic";
      auth.carries.emplace("header", "authorization");
    } else if (type == "oauth2") {
      oauth2(scheme.at, auth);
    } else if (type == "openidconnect" || (type == "http" && word == "bearer")) {
      auth.clause = "bearer";
      auth.carries.emplace("header", "authorization");
    } else {
      findings_.loss(scheme.at, "this kind of credential is not known: requests carry none");
    }
    return auth;
  }

  void key(const Place& at, ChosenAuth& auth) {
    const std::string name(at["name"].text());
    const std::string in = lower_ascii(at["in"].text());
    const bool is_header = in != "query" && in != "cookie";
    const bool is_name =
        !name.empty() && is_plain(name) && name.find_first_of(" \"\\{}:") == std::string::npos;
    if (!is_name) return findings_.loss(at, "the key has no name: requests carry none");
    if (in == "cookie") {
      auth.clause = fmt::format("key {{ header: \"Cookie\", prefix: {} }}", quoted(name + "="));
      return;
    }
    auth.clause = fmt::format("key {{ {}: {} }}", is_header ? "header" : "query", quoted(name));
    auth.carries.emplace(is_header ? "header" : "query", lower_ascii(name));
  }

  void oauth2(const Place& at, ChosenAuth& auth) {
    auth.carries.emplace("header", "authorization");
    Place flow = at;
    if (at["flows"].is_object()) {
      for (const std::string_view kind : {"clientCredentials", "authorizationCode", "password", "implicit"})
        if (at["flows"][kind].is_object()) {
          flow = at["flows"][kind];
          break;
        }
    }
    std::string token(flow["tokenUrl"].text());
    const std::string authorization(flow["authorizationUrl"].text());
    if (!is_for_apps(at))
      findings_.note(flow,
                     "people sign in here, and flows as an app: what it may do has to be granted to the app");
    if (is_of_microsoft(token) || is_of_microsoft(authorization)) {
      Findings ignored;
      const std::string scope = app_scope(flow["scopes"], base_of(root_, ignored));
      if (!scope.empty()) {
        findings_.note(
            flow, fmt::format("the scope `{}` is what its addresses suggest: look up which one the API wants",
                              printable(scope)));
        auth.clause = fmt::format("entra {{ scope: {} }}", literal(scope));
        return;
      }
    }
    const bool can_ask = token.starts_with("https://") || token.starts_with('/');
    if (!can_ask || !is_plain(token)) {
      findings_.note(flow, "it does not say where tokens are given: a token that was made once is sent");
      auth.clause = "bearer";
      return;
    }
    std::string scopes;
    for (std::size_t i = 0; i < flow["scopes"].size() && flow["scopes"].is_object(); ++i) {
      const std::string_view scope = flow["scopes"].name(i);
      if (is_plain(scope) && scopes.size() < 500) scopes += (scopes.empty() ? "" : " ") + std::string(scope);
    }
    auth.clause = fmt::format("oauth2 {{ token: {}{} }}", quoted(token),
                              scopes.empty() ? "" : ", scope: " + literal(scopes));
  }

  const Place& root_;
  References& references_;
  Findings& findings_;
  std::vector<Scheme> known_;
};

}  // namespace

ChosenAuth auth_of(const Place& root, References& references, Findings& findings) {
  return Chooser(root, references, findings).choose();
}

}  // namespace flow::importer
