#include <algorithm>
#include <map>

#include "runtime/engine.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow {
namespace {

class VmMachine final : public RunMachine {
 public:
  VmMachine(std::shared_ptr<const Program> program, std::uint32_t flow, Limits limits)
      : program_(std::move(program)), machine_(*program_, flow, limits) {}
  VmMachine(std::shared_ptr<const Program> program, Machine machine)
      : program_(std::move(program)), machine_(std::move(machine)) {}
  Step start(std::string_view event_json, std::string_view settings_json) override {
    return machine_.start(event_json, settings_json);
  }
  Step start_from(const ParsedEvent& event, std::string_view settings_json) override {
    return machine_.start(event, settings_json);
  }
  Step resume(const Outcome& outcome) override { return machine_.resume(outcome); }
  std::optional<Step> next() override { return machine_.next(); }
  std::optional<Step> answer_call(std::uint32_t number, const Outcome& outcome) override {
    return machine_.answer_call(number, outcome);
  }
  std::optional<Step> answer_log(std::uint32_t number) override { return machine_.answer_log(number); }
  std::vector<std::uint32_t> take_cancelled() override { return machine_.take_cancelled(); }
  bool in_body() const override { return machine_.in_body(); }
  std::optional<std::string> freeze() const override { return machine_.snapshot(); }
  std::vector<Call> under_way() const override {
    std::vector<Call> calls;
    for (const Step& step : machine_.pending())
      if (const auto* call = std::get_if<Call>(&step)) calls.push_back(*call);
    std::ranges::sort(calls, {}, &Call::number);
    return calls;
  }

 private:
  std::shared_ptr<const Program> program_;
  Machine machine_;
};

class VmEngine final : public Engine {
 public:
  explicit VmEngine(Limits limits) : limits_(limits) {}

  Result<std::shared_ptr<const Module>> load(std::string_view bytes) override {
    FLOW_TRY(Module module, decode(bytes));
    FLOW_TRY(Program loaded, Program::load(std::move(module)));
    const auto program = std::make_shared<const Program>(std::move(loaded));
    std::erase_if(programs_, [](const auto& entry) { return entry.second.expired(); });
    programs_[&program->module()] = program;
    return std::shared_ptr<const Module>(program, &program->module());
  }
  void limit(const Limits& limits) override { limits_ = limits; }
  std::unique_ptr<RunMachine> machine(const Module& module, std::uint32_t flow) override {
    return std::make_unique<VmMachine>(programs_.at(&module).lock(), flow, limits_);
  }
  Result<std::unique_ptr<RunMachine>> restore(const Module& module, std::uint32_t flow,
                                              std::string_view frozen) override {
    auto program = programs_.at(&module).lock();
    FLOW_TRY(Machine machine, Machine::restore(*program, flow, limits_, frozen));
    return std::unique_ptr<RunMachine>(std::make_unique<VmMachine>(std::move(program), std::move(machine)));
  }

 private:
  Limits limits_;
  std::map<const Module*, std::weak_ptr<const Program>> programs_;  // what load() gave and is still held
};

}  // namespace

std::unique_ptr<Engine> vm_engine(Limits limits) {
  return std::make_unique<VmEngine>(limits);
}

}  // namespace flow
