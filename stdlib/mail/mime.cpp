#include "stdlib/mail/mime.hpp"

#include <fmt/format.h>
#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <mutex>

namespace flow {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Ref = std::unique_ptr<T, Unref>;

void init() {
  static std::once_flag once;
  std::call_once(once, g_mime_init);
}

// A reader of text wants one kind of line end; the library writes it as CRLF.
std::string with_plain_line_ends(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

void set_content(GMimePart* part, std::string_view bytes, GMimeContentEncoding encoding) {
  const Ref<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Ref<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part, content.get());
  g_mime_part_set_content_encoding(part, encoding);
}

Ref<GMimeObject> text_part(std::string_view text, const char* subtype) {
  GMimePart* const part = g_mime_part_new_with_type("text", subtype);
  g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
  set_content(part, with_plain_line_ends(text), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return Ref<GMimeObject>(GMIME_OBJECT(part));
}

// The library would take the narrowest charset that holds the text.
void use_utf8(GMimeParamList* parameters, const char* name) {
  if (GMimeParam* const parameter = g_mime_param_list_get_parameter(parameters, name))
    g_mime_param_set_charset(parameter, "utf-8");
}

Ref<GMimeObject> attachment_part(const MailAttachment& attachment) {
  const std::string type =
      attachment.content_type.empty() ? "application/octet-stream" : attachment.content_type;
  const std::size_t slash = type.find('/');
  GMimePart* const part =
      g_mime_part_new_with_type(type.substr(0, slash).c_str(), type.substr(slash + 1).c_str());
  g_mime_object_set_disposition(GMIME_OBJECT(part), GMIME_DISPOSITION_ATTACHMENT);
  g_mime_part_set_filename(part, harmless(attachment.name).c_str());
  use_utf8(
      g_mime_content_disposition_get_parameters(g_mime_object_get_content_disposition(GMIME_OBJECT(part))),
      "filename");
  use_utf8(g_mime_content_type_get_parameters(g_mime_object_get_content_type(GMIME_OBJECT(part))), "name");
  set_content(part, attachment.content, GMIME_CONTENT_ENCODING_BASE64);
  return Ref<GMimeObject>(GMIME_OBJECT(part));
}

// No encoded part has `=_` in it, so no part has the boundary. The same mail has the same.
Ref<GMimeMultipart> multipart(const char* subtype, std::string_view message_id) {
  Ref<GMimeMultipart> made(g_mime_multipart_new_with_subtype(subtype));
  const std::size_t end = std::min(message_id.rfind('@'), message_id.size());
  const std::string hash(
      message_id.substr(end - std::min<std::size_t>(end, 16), std::min<std::size_t>(end, 16)));
  g_mime_multipart_set_boundary(made.get(), fmt::format("=_{}.{}", subtype, hash).c_str());
  return made;
}

Ref<GMimeObject> as_object(Ref<GMimeMultipart> parts) {
  return Ref<GMimeObject>(GMIME_OBJECT(parts.release()));
}

// Text first, html last: readers show the last alternative they understand.
Ref<GMimeObject> body_of(const MailMessage& message, const std::string& id) {
  Ref<GMimeObject> body;
  if (message.html.empty()) {
    body = text_part(message.text, "plain");
  } else if (message.text.empty()) {
    body = text_part(message.html, "html");
  } else {
    Ref<GMimeMultipart> both = multipart("alternative", id);
    g_mime_multipart_add(both.get(), text_part(message.text, "plain").get());
    g_mime_multipart_add(both.get(), text_part(message.html, "html").get());
    body = as_object(std::move(both));
  }
  if (message.attachments.empty()) return body;
  Ref<GMimeMultipart> mixed = multipart("mixed", id);
  g_mime_multipart_add(mixed.get(), body.get());
  for (const MailAttachment& each : message.attachments)
    g_mime_multipart_add(mixed.get(), attachment_part(each).get());
  return as_object(std::move(mixed));
}

void add_all(GMimeMessage* mail, GMimeAddressType type, const std::vector<Mailbox>& mailboxes) {
  InternetAddressList* const list = g_mime_message_get_addresses(mail, type);
  for (const Mailbox& each : mailboxes) {
    const std::string name = harmless(each.name);
    const Ref<InternetAddress> address(
        internet_address_mailbox_new(name.empty() ? nullptr : name.c_str(), each.address.c_str()));
    internet_address_set_charset(address.get(), "utf-8");
    internet_address_list_add(list, address.get());
  }
}

std::string bytes_of(GMimeMessage* mail) {
  const std::unique_ptr<GMimeFormatOptions, void (*)(GMimeFormatOptions*)> options(
      g_mime_format_options_new(), g_mime_format_options_free);
  g_mime_format_options_set_newline_format(options.get(), GMIME_NEWLINE_FORMAT_DOS);
  g_mime_format_options_set_param_encoding_method(options.get(), GMIME_PARAM_ENCODING_METHOD_RFC2231);
  const Ref<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_object_write_to_stream(GMIME_OBJECT(mail), options.get(), stream.get());
  const GByteArray* const bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return {reinterpret_cast<const char*>(bytes->data), bytes->len};
}

}  // namespace

Result<WrittenMail> write_mail(const MailMessage& message, bool has_bcc) {
  FLOW_TRY(CheckedMail checked, check_mail(message));
  init();
  const Ref<GMimeMessage> mail(g_mime_message_new(FALSE));
  const auto header = [&](const char* name, const char* value) {
    g_mime_object_set_header(GMIME_OBJECT(mail.get()), name, value, "utf-8");
  };
  const std::unique_ptr<GDateTime, void (*)(GDateTime*)> date(
      g_date_time_new_from_unix_utc(message.date_us / 1'000'000), g_date_time_unref);
  if (!date) return error("the mail's date is out of range");
  g_mime_message_set_date(mail.get(), date.get());
  add_all(mail.get(), GMIME_ADDRESS_TYPE_FROM, {checked.from});
  add_all(mail.get(), GMIME_ADDRESS_TYPE_REPLY_TO, checked.reply_to);
  add_all(mail.get(), GMIME_ADDRESS_TYPE_TO, checked.to);
  add_all(mail.get(), GMIME_ADDRESS_TYPE_CC, checked.cc);
  if (has_bcc)
    for (const std::string& each : message.bcc) {
      FLOW_TRY(const Mailbox mailbox, parse_mailbox(each));
      add_all(mail.get(), GMIME_ADDRESS_TYPE_BCC, {mailbox});
    }
  g_mime_message_set_subject(mail.get(), checked.subject.c_str(), "utf-8");
  const std::string bare_id = checked.message_id.substr(1, checked.message_id.size() - 2);
  g_mime_message_set_message_id(mail.get(), bare_id.c_str());
  // Out-of-office answers to a robot would come back to it for ever.
  header("Auto-Submitted", "auto-generated");
  header("X-Auto-Response-Suppress", "All");
  if (!checked.importance.empty()) header("Importance", checked.importance.c_str());
  header("MIME-Version", "1.0");
  g_mime_message_set_mime_part(mail.get(), body_of(message, checked.message_id).get());
  return WrittenMail{.sender = checked.from.address,
                     .recipients = std::move(checked.recipients),
                     .message_id = std::move(checked.message_id),
                     .bytes = bytes_of(mail.get())};
}

}  // namespace flow
