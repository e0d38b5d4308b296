// `$ref`: what stands elsewhere in the document.
#pragma once

#include <map>
#include <string>

#include "import/document.hpp"

namespace flow::importer {

class References {
 public:
  References(const Document& document, Findings& findings) : document_(document), findings_(findings) {}

  // What `place` refers to, through any number of references; the place itself when it is none. Nothing, and
  // a finding, when there is nothing there, it is in another document, or the references go in a circle.
  Place follow(const Place& place);

 private:
  Place target(const std::string& reference) const;

  const Document& document_;
  Findings& findings_;
  std::map<std::string, Place, std::less<>> known_;
};

}  // namespace flow::importer
