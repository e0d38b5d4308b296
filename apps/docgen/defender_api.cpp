#include "apps/docgen/defender_api.hpp"

#include <sstream>

#include "base/text.hpp"

namespace flow {
namespace {

std::vector<std::string> words(const char* text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

// `/api/alerts/{}`: what stands in the holes is named differently, and the case of paths counts nowhere.
std::string shape(const std::string& path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    out += path[i];
    if (path[i] == '{') i = path.find('}', i) - 1;
  }
  return lower_ascii(out);
}

std::string shape(const Template& path) {
  if (path.kind == Template::Kind::Text) return lower_ascii(path.text);
  std::string out;
  for (const Template& part : path.children) out += part.kind == Template::Kind::Text ? part.text : "{}";
  return lower_ascii(out);
}

}  // namespace

const std::vector<ApiCall>& defender_api() {
  static const std::vector<ApiCall> calls{
#define FLOW_API(key, title, method, path, parameters, returns, permissions, minute, hour, retires, page) \
  {key, title, method, path, words(parameters), returns, words(permissions), minute, hour, retires, page},
#define FLOW_API_ENTITY(name, fields)
#include "apps/docgen/defender_api.def"
#undef FLOW_API
#undef FLOW_API_ENTITY
  };
  return calls;
}

const std::map<std::string, std::vector<std::string>>& defender_entities() {
  static const std::map<std::string, std::vector<std::string>> entities{
#define FLOW_API(key, title, method, path, parameters, returns, permissions, minute, hour, retires, page)
#define FLOW_API_ENTITY(name, fields) {name, words(fields)},
#include "apps/docgen/defender_api.def"
#undef FLOW_API
#undef FLOW_API_ENTITY
  };
  return entities;
}

std::string connector_of(const ApiCall& call) {
  if (call.key.starts_with("trigger.")) return {};
  if (call.key.starts_with("graph.")) return "graph";
  return call.key.starts_with("xdr.") ? "xdr" : "defender";
}

std::vector<const Operation*> declared(const Library& library, const ApiCall& call) {
  std::vector<const Operation*> out;
  for (const Operation& operation : library.operations)
    if (operation.connector == connector_of(call) && operation.routes.front().method == call.method &&
        shape(operation.routes.front().path) == shape(call.path))
      out.push_back(&operation);
  return out;
}

}  // namespace flow
