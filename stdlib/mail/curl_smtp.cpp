// SmtpSender on libcurl: one thread runs a curl multi handle; send() puts jobs in its queue and wakes it.
#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/text.hpp"
#include "stdlib/mail/mime.hpp"
#include "stdlib/mail/reply.hpp"
#include "stdlib/mail/smtp.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostQueued = 1000;
constexpr long kMostConnections = 2;  // Exchange Online allows three
constexpr long kConnectTimeoutMs = 20'000;
constexpr long kReplyTimeoutS = 60;
constexpr std::size_t kLongestReply = 300;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

Fault bad_mail(std::string message) {
  return {.kind = FaultKind::BadRequest, .message = std::move(message)};
}

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return;
  static_cast<void>(list.release());
  list.reset(longer);
}

// One message on its way. Lives in the worker's thread once it was taken from the queue.
struct Delivery {
  SmtpJob job;
  std::function<void(MailResult)> done;
  WrittenMail mail;
  std::size_t sent = 0;  // bytes of the mail
  std::unique_ptr<CURL, FreeEasy> easy;
  List recipients;
  std::string refusal;         // the server's last line, when it was 4yz or 5yz
  bool is_body_begun = false;  // the server said 354: from here on it may keep the message
};

// The conversation as it happens. It is the only way to see the text of a refusal; logins pass here and are
// not kept.
int on_wire(CURL*, curl_infotype type, char* bytes, std::size_t size, void* context) {
  auto& delivery = *static_cast<Delivery*>(context);
  if (type != CURLINFO_HEADER_IN) return 0;
  std::string_view line(bytes, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("354")) delivery.is_body_begun = true;
  // 221 answers QUIT, which follows a refusal; any other success makes an earlier refusal history.
  if (!line.starts_with("221")) delivery.refusal.clear();
  if (!line.starts_with('4') && !line.starts_with('5')) return 0;
  for (const char c : line.substr(0, kLongestReply))
    delivery.refusal +=
        static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f ? '?' : c;
  return 0;
}

std::size_t read_mail(char* to, std::size_t size, std::size_t count, void* context) {
  auto& delivery = *static_cast<Delivery*>(context);
  const std::string& bytes = delivery.mail.bytes;
  const std::size_t taken = std::min(size * count, bytes.size() - delivery.sent);
  std::copy_n(bytes.data() + delivery.sent, taken, to);
  delivery.sent += taken;
  return taken;
}

void set_login(CURL* easy, const SmtpServer& server, const std::string& credential) {
  if (server.login == SmtpServer::Login::None) return;
  curl_easy_setopt(easy, CURLOPT_USERNAME, server.user.c_str());
  curl_easy_setopt(easy, CURLOPT_SASL_IR, 1L);  // the login in one step, as XOAUTH2 servers expect it
  if (server.login == SmtpServer::Login::Password) {
    using Mechanism = SmtpServer::Mechanism;
    curl_easy_setopt(easy, CURLOPT_PASSWORD, credential.c_str());
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS,
                     server.mechanism == Mechanism::Plain   ? "AUTH=PLAIN"
                     : server.mechanism == Mechanism::Login ? "AUTH=LOGIN"
                                                            : "AUTH=PLAIN;AUTH=LOGIN");
    return;
  }
  curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, credential.c_str());
  curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
}

void set_connection(CURL* easy, const SmtpJob& job) {
  const SmtpServer& server = job.server;
  const bool is_implicit = server.security == SmtpServer::Security::Implicit;
  const bool is_v6 = server.host.find(':') != std::string::npos;
  const std::string url = std::string(is_implicit ? "smtps://" : "smtp://") + (is_v6 ? "[" : "") +
                          server.host + (is_v6 ? "]" : "") + ":" + std::to_string(server.port) + "/" +
                          percent_encoded(server.helo);
  const std::string ca = server.ca_bundle.empty() ? "/etc/ssl/certs/ca-certificates.crt" : server.ca_bundle;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(
      easy, CURLOPT_USE_SSL,
      static_cast<long>(server.security == SmtpServer::Security::None ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CAINFO, ca.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A kept connection may have been closed by the server meanwhile, which looks like a refusal of the next
  // message.
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  // The library waits for the answer to QUIT in its one thread; this bounds how long others can be held up.
  curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, kReplyTimeoutS);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // an HTTP proxy of the environment is no way to a mail server
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::clamp<std::int64_t>(job.deadline_us / 1000, 1, 86'400'000)));
  set_login(easy, server, job.credential);
}

std::size_t drop_bytes(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

// A command that every server knows, and that does nothing (RFC 5321, 4.1.1.9).
void set_trial(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "NOOP");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_bytes);
}

bool begin(Delivery& delivery) {
  delivery.easy.reset(curl_easy_init());
  if (!delivery.easy) return false;
  CURL* easy = delivery.easy.get();
  set_connection(easy, delivery.job);
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_wire);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &delivery);
  curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &delivery);
  if (delivery.job.is_trial) return set_trial(easy), true;
  for (const std::string& address : delivery.mail.recipients)
    append(delivery.recipients, "<" + address + ">");
  const std::string sender = "<" + delivery.mail.sender + ">";
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, sender.c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, delivery.recipients.get());
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_mail);
  curl_easy_setopt(easy, CURLOPT_READDATA, &delivery);
  // A server that states a size refuses at once what is larger.
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(delivery.mail.bytes.size()));
  return true;
}

MailResult result_of(const Delivery& delivery, CURLcode code) {
  if (code == CURLE_OK) return MailSent{delivery.mail.message_id};
  long reply = 0;
  curl_easy_getinfo(delivery.easy.get(), CURLINFO_RESPONSE_CODE, &reply);
  // After QUIT the last code is that of the farewell; the refusal before it is what counts.
  if (!delivery.refusal.empty() && reply < 400) reply = std::strtol(delivery.refusal.c_str(), nullptr, 10);
  if (reply >= 400 && reply < 600)
    return tl::unexpected(smtp_fault(static_cast<int>(reply), delivery.refusal));
  const bool is_login = code == CURLE_LOGIN_DENIED;
  Fault fault{.kind = code == CURLE_OPERATION_TIMEDOUT ? FaultKind::Timeout
                      : is_login                       ? FaultKind::Unauthorized
                                                       : FaultKind::Unavailable,
              .message = delivery.job.server.host + ": " + curl_easy_strerror(code),
              .maybe_executed = delivery.is_body_begun};
  if (fault.maybe_executed)
    fault.message += "; the server had begun to take the message and may have accepted it";
  return tl::unexpected(std::move(fault));
}

class CurlSmtpSender final : public SmtpSender {
 public:
  CurlSmtpSender() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi_.reset(curl_multi_init());
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, kMostConnections);
    thread_ = std::thread([this] { run(); });
  }
  ~CurlSmtpSender() override {
    is_ending_ = true;
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  void send(SmtpJob job, std::function<void(MailResult)> done) override {
    const SmtpServer& server = job.server;
    if (server.login != SmtpServer::Login::None && server.security == SmtpServer::Security::None &&
        !server.sends_login_in_clear)
      return done(tl::unexpected(bad_mail("the login would go to " + server.host + " without TLS")));
    Result<WrittenMail> mail = job.is_trial ? Result<WrittenMail>(WrittenMail()) : write_mail(job.message);
    if (!mail) return done(tl::unexpected(bad_mail(mail.error().message)));
    auto delivery = std::make_unique<Delivery>();
    delivery->job = std::move(job);
    delivery->mail = std::move(*mail);
    delivery->done = std::move(done);
    {
      const std::lock_guard lock(mutex_);
      if (queue_.size() < kMostQueued) queue_.push_back(std::move(delivery));
    }
    if (delivery)
      return delivery->done(tl::unexpected(
          Fault{.kind = FaultKind::Unavailable, .message = "too many mails are waiting to be sent"}));
    curl_multi_wakeup(multi_.get());
  }

 private:
  void run() {
    while (!is_ending_) {
      take_new();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      report_finished();
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    }
    take_new();
    while (!under_way_.empty()) end(under_way_.begin()->first, CURLE_ABORTED_BY_CALLBACK);
  }

  void take_new() {
    std::deque<std::unique_ptr<Delivery>> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(queue_);
    }
    for (std::unique_ptr<Delivery>& delivery : taken) {
      if (!begin(*delivery)) {
        delivery->done(
            tl::unexpected(Fault{.kind = FaultKind::Unavailable, .message = "no memory to send mail"}));
        continue;
      }
      CURL* easy = delivery->easy.get();
      under_way_.emplace(easy, std::move(delivery));
      curl_multi_add_handle(multi_.get(), easy);
    }
  }

  void report_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
      if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
  }

  void end(CURL* easy, CURLcode code) {
    const auto found = under_way_.find(easy);
    const std::unique_ptr<Delivery> delivery = std::move(found->second);
    under_way_.erase(found);
    const MailResult result = result_of(*delivery, code);
    curl_multi_remove_handle(multi_.get(), easy);
    delivery->done(result);
  }

  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Delivery>> queue_;
  std::map<CURL*, std::unique_ptr<Delivery>> under_way_;  // the worker's own
  std::atomic<bool> is_ending_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<SmtpSender> make_curl_smtp_sender() {
  return std::make_unique<CurlSmtpSender>();
}

}  // namespace flow
