#include "runtime/engine.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow {
namespace {

class VmMachine final : public RunMachine {
 public:
  VmMachine(const Module& module, std::uint32_t flow, Limits limits) : machine_(module, flow, limits) {}
  Step start(std::string_view event_json) override { return machine_.start(event_json); }
  Step start_from(const ParsedEvent& event) override { return machine_.start(event); }
  Step resume(const Outcome& outcome) override { return machine_.resume(outcome); }
  bool in_body() const override { return machine_.in_body(); }

 private:
  Machine machine_;
};

class VmEngine final : public Engine {
 public:
  explicit VmEngine(Limits limits) : limits_(limits) {}

  Result<std::shared_ptr<const Module>> load(std::string_view bytes) override {
    FLOW_TRY(Module module, decode(bytes));
    FLOW_TRY_STATUS(verify(module));
    return std::make_shared<const Module>(std::move(module));
  }
  std::unique_ptr<RunMachine> machine(const Module& module, std::uint32_t flow) override {
    return std::make_unique<VmMachine>(module, flow, limits_);
  }

 private:
  Limits limits_;
};

}  // namespace

std::unique_ptr<Engine> vm_engine(Limits limits) {
  return std::make_unique<VmEngine>(limits);
}

}  // namespace flow
