// The parts of a module that all its flows share: types, constants, operations. Types are slim: a record has
// only the fields that some flow of the file reads, so that the machine decodes nothing else.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "compiler/check/checked.hpp"
#include "compiler/check/protection.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

class ModuleBuilder {
 public:
  ModuleBuilder(const Library& library, const Tree& tree, const CheckedFile& checked)
      : library_(library), tree_(tree), checked_(checked) {}

  Module& module() { return module_; }
  TypeId type(TypeId from);
  // The index of a field in the module's record.
  std::uint32_t field(TypeId record, std::uint32_t from);
  std::uint32_t constant(Constant constant);
  std::uint32_t operation(std::uint32_t library_operation);
  std::uint32_t connector(std::uint32_t library_connector);
  // The operation by which the runtime tells people that they are asked, though no flow calls it.
  void add_mail();
  std::uint32_t trigger(std::uint32_t checked_trigger);
  // The index that the function of the file has, or will have, in the module.
  // With a flow, of the form that asks its protections; see protections.cpp.
  std::uint32_t function(std::uint32_t checked_function, const CheckedFlow* protected_by = nullptr);
  // The same of the function that asks a condition of `protect`; it refuses that operation of the library.
  std::uint32_t guard(const CheckedFlow& flow, const Protection& protection, const Operation& operation);
  // The index that the flow has, or will have, which ends leases of the operation, or sends its digests; see
  // lease_emitter.hpp, digest_emitter.hpp. `call` is a call with `lease`, or of mail.digest.
  std::uint32_t lease(std::uint32_t library_operation, NodeId call);
  std::uint32_t lease_trigger(const Operation& leased, const Operation& inverse);
  struct Leased {
    std::uint32_t operation = 0;  // of the library
    NodeId call = kNoNode;        // the first
  };
  const std::vector<Leased>& leased() const { return leased_; }
  // The input that gives a flow the setting of the file, which the module then has.
  Input setting(std::uint32_t checked_setting);
  // Functions of the file that are invoked, and their places in the module.
  struct Invoked {
    std::uint32_t function, place;
    const CheckedFlow* protected_by = nullptr;
  };
  const std::vector<Invoked>& invoked() const { return invoked_; }
  struct Guard {
    const CheckedFlow* flow = nullptr;
    Protection protection;
    const Operation* operation = nullptr;  // that is refused
    std::uint32_t place = 0;
  };
  const std::deque<Guard>& guards() const { return guards_; }
  // Places for functions, side by side: the first. Each is put there later.
  std::uint32_t reserve(std::uint32_t count);
  void put(std::uint32_t place, FunctionCode code) { module_.functions[place] = std::move(code); }
  const Library& library() const { return library_; }
  const CheckedFile& checked() const { return checked_; }

 private:
  TypeId record_type(TypeId from);
  std::uint32_t operation_named(const std::string& connector, const std::string& name);

  const Library& library_;
  const Tree& tree_;
  const CheckedFile& checked_;
  Module module_;
  std::map<TypeId, TypeId> types_;
  std::map<std::pair<TypeId, std::uint32_t>, std::uint32_t> fields_;
  std::map<std::tuple<TypeId, std::int64_t, double, std::string>, std::uint32_t> constants_;
  std::map<std::uint32_t, std::uint32_t> operations_, connectors_, triggers_;
  std::map<std::pair<std::uint32_t, const CheckedFlow*>, std::uint32_t> functions_;
  std::vector<Invoked> invoked_;
  std::deque<Guard> guards_;
  std::vector<Leased> leased_;
  std::set<std::uint32_t> settings_;
};

}  // namespace flow
