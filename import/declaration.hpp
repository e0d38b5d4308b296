// A connector declaration before it is written: the translation fills it, print() lays it out. Types are
// texts, as `List<TicketsTicket>?`.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace flow::importer {

struct DeclaredField {
  std::string name, wire, type, doc;
};
struct DeclaredRecord {
  std::string name, doc;
  std::vector<DeclaredField> fields;
};
struct DeclaredEnum {
  std::string name, doc;
  std::vector<std::string> values;
};

struct DeclaredParameter {
  std::string name, type;
  std::string default_value;  // as the language writes it; empty when the argument is required
  std::string doc;
};
using DeclaredEntries = std::vector<std::pair<std::string, std::string>>;  // wire name, expression

struct DeclaredOperation {
  std::string name, effect, method, path, doc;
  std::vector<DeclaredParameter> parameters;
  DeclaredEntries query, headers;
  DeclaredEntries form, multipart;
  std::string body;       // an expression; empty without a body
  std::string sends;      // the body's content type when it is not JSON
  std::string result;     // empty when the answer is not read
  std::string gives;      // the member of the answer that is the result
  std::string next_page;  // the member of the answer that is the next page's address
  int most_pages = 0;
  std::string source;
};

struct DeclaredConnector {
  std::string name;
  std::vector<std::string> comments;  // what stands above it
  std::string base;                   // empty when the configuration has to say
  std::string auth;                   // as `key { header: "X-Api-Key" }`
  std::vector<DeclaredEnum> enums;
  std::vector<DeclaredRecord> records;
  std::vector<DeclaredOperation> operations;
};

// As a file of the language, not yet in its layout.
std::string print(const DeclaredConnector& connector);

}  // namespace flow::importer
