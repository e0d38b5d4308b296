// Who is told something by a flow: the addresses given to operations that notify, as far as they stand in the
// text.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/check/checked.hpp"

namespace flow {

struct PlannedRecipients {
  std::uint32_t operation = 0;  // index into Library::operations
  std::string parameter;
  std::vector<std::string> constants;  // in the order of the text, each once
  std::vector<std::string> computed;   // the expressions that give the others, as written
};

class Recipients {
 public:
  Recipients(const Tree& tree, const Library& library, const CheckedFile& checked, const CheckedBody& body)
      : tree_(tree), library_(library), checked_(checked), body_(body) {}

  // In the order of the text: a `let` before the calls that use what it names. Names of functions are not
  // followed.
  void note_let(NodeId let);
  void note_call(const CheckedCall& call, bool is_in_function);
  // What was found in something that is called.
  void note_all(const std::vector<PlannedRecipients>& others);
  std::vector<PlannedRecipients> take() { return std::move(found_); }

 private:
  bool takes_address(TypeId type) const;
  void note_address(const CheckedCall& call, const Operation& operation);
  PlannedRecipients& of(std::uint32_t operation, const std::string& parameter);
  void collect(NodeId node, PlannedRecipients& into);

  const Tree& tree_;
  const Library& library_;
  const CheckedFile& checked_;
  const CheckedBody& body_;
  std::map<std::uint32_t, NodeId> given_;
  bool follows_ = true;
  bool is_address_ = false;           // what is collected are addresses of requests
  std::set<std::uint32_t> followed_;  // of the call that is looked at: what they name is collected
  std::vector<PlannedRecipients> found_;
};

}  // namespace flow
