#include "process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace flow::e2e {
namespace {

// The strings of an argument or environment list, as C wants them.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

}  // namespace

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "flow-e2e-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "cannot make a folder " << pattern;
  root_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path(name), std::ios::binary) << content;
  return path(name);
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Process::Process(const std::string& program, const Arguments& arguments, const ProcessOptions& options) {
  std::vector<std::string> words{program.starts_with('/') ? program : FLOW_BINARY_DIR "/" + program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = environment_with(options.environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_.path("out").c_str(), O_WRONLY | O_CREAT,
                                   0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, output_.path("err").c_str(), O_WRONLY | O_CREAT,
                                   0600);
  if (!options.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.folder.c_str());
  const int problem = posix_spawn(&id_, words[0].c_str(), &actions, nullptr, pointers(words).data(),
                                  pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (problem == 0) return;
  ADD_FAILURE() << "cannot start " << words[0] << ": error " << problem;
  is_over_ = true;
}

Process::~Process() {
  kill();
}

bool Process::is_running() {
  if (!is_over_) is_over_ = waitpid(id_, &status_, WNOHANG) != 0;
  return !is_over_;
}

void Process::send(int signal) {
  if (is_running()) ::kill(id_, signal);
}

Ended Process::wait(std::chrono::milliseconds patience) {
  Ended ended;
  ended.is_late = !eventually([this] { return !is_running(); }, patience);
  if (ended.is_late) send(SIGKILL);
  if (!is_over_) is_over_ = waitpid(id_, &status_, 0) == id_;
  if (WIFEXITED(status_)) ended.exit_code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) ended.signal = WTERMSIG(status_);
  ended.out = out();
  ended.err = err();
  return ended;
}

Ended Process::kill() {
  send(SIGKILL);
  return wait();
}

Ended run_flow(const Arguments& arguments, const ProcessOptions& options) {
  Process process("flow", arguments, options);
  Ended ended = process.wait();
  EXPECT_FALSE(ended.is_late) << "it hung; so far it said:\n" << ended.all();
  EXPECT_EQ(ended.signal, 0) << ended.all();
  return ended;
}

}  // namespace flow::e2e
