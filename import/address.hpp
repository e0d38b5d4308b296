// Where an API is, and how requests to it say who sends them.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "import/document.hpp"
#include "import/references.hpp"

namespace flow::importer {

// `https://api.example.com/v2`, without a slash at its end; empty, with a finding, where each customer has an
// address of their own.
std::string base_of(const Place& root, Findings& findings);

struct ChosenAuth {
  std::string clause = "none";  // as `key { header: "X-Api-Key" }`
  std::string scheme;           // its name in the document
  // What it puts into a request: ("header" or "query", name in small letters). Such parameters are not the
  // caller's business.
  std::set<std::pair<std::string, std::string>> carries;
};
// The credential of most operations. What it leaves out is a finding.
ChosenAuth auth_of(const Place& root, References& references, Findings& findings);

}  // namespace flow::importer
