// The functions of natives.def, one for each row, under its name. What they do stands there; what they give
// and how they fault stands in result.hpp. natives.cpp makes the rows and the types here agree.
#pragma once

#include "vm/interp/natives/result.hpp"

namespace flow::natives {

// text.cpp: texts
Text lower(NativeContext& context, std::string_view text);
Text upper(NativeContext& context, std::string_view text);
Text trimStart(NativeContext& context, std::string_view text);
Text trimEnd(NativeContext& context, std::string_view text);
Text trim(NativeContext& context, std::string_view text);
std::int64_t length(NativeContext& context, std::string_view text);
bool isEmptyText(NativeContext& context, std::string_view text);
bool contains(NativeContext& context, std::string_view text, std::string_view part);
bool startsWith(NativeContext& context, std::string_view text, std::string_view part);
bool endsWith(NativeContext& context, std::string_view text, std::string_view part);
std::optional<std::int64_t> indexOfText(NativeContext& context, std::string_view text, std::string_view part);
std::optional<std::int64_t> lastIndexOf(NativeContext& context, std::string_view text, std::string_view part);
Text replace(NativeContext& context, std::string_view text, std::string_view part, std::string_view by);
List split(NativeContext& context, std::string_view text, std::string_view separator);
List lines(NativeContext& context, std::string_view text);
Text sliceText(NativeContext& context, std::string_view text, std::int64_t from,
               std::optional<std::int64_t> to);
Text substring(NativeContext& context, std::string_view text, std::int64_t from, std::int64_t count);
Text padStart(NativeContext& context, std::string_view text, std::int64_t length, std::string_view with);
Text padEnd(NativeContext& context, std::string_view text, std::int64_t length, std::string_view with);
Text repeat(NativeContext& context, std::string_view text, std::int64_t count);

// pattern.cpp: regular expressions
bool matches(NativeContext& context, std::string_view text, std::string_view pattern);
List findAll(NativeContext& context, std::string_view text, std::string_view pattern);
Text replaceAll(NativeContext& context, std::string_view text, std::string_view pattern,
                std::string_view with);
Text capture(NativeContext& context, std::string_view text, std::string_view pattern, std::int64_t group);
List captures(NativeContext& context, std::string_view text, std::string_view pattern);

// number.cpp: numbers
std::optional<std::int64_t> textToInt(NativeContext& context, std::string_view text);
std::optional<double> textToFloat(NativeContext& context, std::string_view text);
std::int64_t absInt(NativeContext& context, std::int64_t number);
double absFloat(NativeContext& context, double number);
std::int64_t round(NativeContext& context, double number);
std::int64_t floor(NativeContext& context, double number);
std::int64_t ceil(NativeContext& context, double number);
std::int64_t truncate(NativeContext& context, double number);
double roundTo(NativeContext& context, double number, std::int64_t decimals);
std::int64_t clampInt(NativeContext& context, std::int64_t number, std::int64_t least, std::int64_t most);
double clampFloat(NativeContext& context, double number, double least, double most);
std::int64_t minInt(NativeContext& context, std::int64_t a, std::int64_t b);
std::int64_t maxInt(NativeContext& context, std::int64_t a, std::int64_t b);
double minFloat(NativeContext& context, double a, double b);
double maxFloat(NativeContext& context, double a, double b);
Text formatFloat(NativeContext& context, double number, std::int64_t decimals);

// time.cpp: moments and lengths of time
std::optional<std::int64_t> textToTime(NativeContext& context, std::string_view text);
std::optional<std::int64_t> textToDuration(NativeContext& context, std::string_view text);
Text formatTime(NativeContext& context, std::int64_t time, std::string_view pattern,
                std::string_view zone_name);
Text formatDuration(NativeContext& context, std::int64_t duration, std::string_view pattern);
std::int64_t startOf(NativeContext& context, std::int64_t time, std::string_view unit,
                     std::string_view zone_name);
std::int64_t addDays(NativeContext& context, std::int64_t time, std::int64_t count,
                     std::string_view zone_name);
std::int64_t addMonths(NativeContext& context, std::int64_t time, std::int64_t count,
                       std::string_view zone_name);
std::int64_t addYears(NativeContext& context, std::int64_t time, std::int64_t count,
                      std::string_view zone_name);
std::int64_t year(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t month(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t day(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t hour(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t minute(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t second(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t weekdayNumber(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t dayOfYear(NativeContext& context, std::int64_t time, std::string_view zone);
std::int64_t toUnix(NativeContext& context, std::int64_t time);
std::int64_t fromUnix(NativeContext& context, std::int64_t count);
std::int64_t toMilliseconds(NativeContext& context, std::int64_t duration);
std::int64_t toSeconds(NativeContext& context, std::int64_t duration);
std::int64_t toMinutes(NativeContext& context, std::int64_t duration);
std::int64_t toHours(NativeContext& context, std::int64_t duration);
std::int64_t toDays(NativeContext& context, std::int64_t duration);
std::int64_t seconds(NativeContext& context, std::int64_t count);
std::int64_t minutes(NativeContext& context, std::int64_t count);
std::int64_t hours(NativeContext& context, std::int64_t count);
std::int64_t days(NativeContext& context, std::int64_t count);

// encoding.cpp: encodings
Text base64(NativeContext& context, std::string_view text);
Text fromBase64(NativeContext& context, std::string_view text);
Text fromBase64Utf16(NativeContext& context, std::string_view text);
Text hex(NativeContext& context, std::string_view text);
Text fromHex(NativeContext& context, std::string_view text);
Text urlEncode(NativeContext& context, std::string_view text);
Text urlDecode(NativeContext& context, std::string_view text);
Text csvCell(NativeContext& context, std::string_view text);
Text plainText(NativeContext& context, std::string_view text);

// bytes.cpp: bytes
Text bytesOfText(NativeContext& context, std::string_view text);
Text bytesOfBase64(NativeContext& context, std::string_view text);
Text bytesOfHex(NativeContext& context, std::string_view text);
Text bytesToText(NativeContext& context, std::string_view text);
Text bytesToBase64(NativeContext& context, std::string_view text);
Text bytesToHex(NativeContext& context, std::string_view text);
std::int64_t bytesLength(NativeContext& context, std::string_view text);
bool bytesIsEmpty(NativeContext& context, std::string_view text);
Text bytesSlice(NativeContext& context, std::string_view text, std::int64_t from,
                std::optional<std::int64_t> to);
Text bytesSha256(NativeContext& context, std::string_view text);
Text bytesSha1(NativeContext& context, std::string_view text);
Text bytesMd5(NativeContext& context, std::string_view text);

// digest.cpp: digests
Text sha256(NativeContext& context, std::string_view text);
Text sha1(NativeContext& context, std::string_view text);
Text md5(NativeContext& context, std::string_view text);

// network.cpp: addresses and what is made of them
bool isPrivate(NativeContext& context, std::string_view address);
bool isPublic(NativeContext& context, std::string_view address);
bool isLoopback(NativeContext& context, std::string_view address);
bool isLinkLocal(NativeContext& context, std::string_view address);
bool isV6(NativeContext& context, std::string_view address);
Text ipNetwork(NativeContext& context, std::string_view address, std::int64_t bits);
bool inNetwork(NativeContext& context, std::string_view network, std::string_view address);
Text urlScheme(NativeContext& context, std::string_view url);
Text urlHost(NativeContext& context, std::string_view url);
std::optional<std::int64_t> urlPort(NativeContext& context, std::string_view url);
Text urlPath(NativeContext& context, std::string_view url);
Text urlQuery(NativeContext& context, std::string_view url, std::string_view name);
bool isSubdomainOf(NativeContext& context, std::string_view domain, std::string_view parent);
Text parentDomain(NativeContext& context, std::string_view domain);
Text emailUser(NativeContext& context, std::string_view address);
Text emailDomain(NativeContext& context, std::string_view address);

// ioc.cpp: indicators of compromise
Text refang(NativeContext& context, std::string_view text);
Text defang(NativeContext& context, std::string_view text);
List extractIps(NativeContext& context, std::string_view text);
List extractDomains(NativeContext& context, std::string_view text);
List extractUrls(NativeContext& context, std::string_view text);
List extractHashes(NativeContext& context, std::string_view text);
List extractEmails(NativeContext& context, std::string_view text);

// json.cpp
Text parseJson(NativeContext& context, std::string_view text);
Text jsonText(NativeContext& context, std::string_view json);

// address.cpp: addresses in pages
Text webAddress(NativeContext& context, std::string_view text);

}  // namespace flow::natives
