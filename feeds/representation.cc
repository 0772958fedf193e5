#include "feeds/representation.h"

#include "http/negotiate.h"
#include "kernel/problem.h"

namespace courant::feeds {

std::string_view name_of(Representation representation) {
  return representation == Representation::kHtml ? "html" : "atom";
}

Representation choose_representation(const http::Request& request, const Parameters& query, std::string_view xml_type) {
  if (const std::string* const format = find_parameter(query, "format")) {
    if (*format == "html") return Representation::kHtml;
    if (*format == "atom") return Representation::kXml;
    throw Problem(400, "format must be atom or html, not " + *format);
  }
  if (!request.header("accept")) return Representation::kXml;
  const std::vector<std::string_view> offered = {xml_type, "application/xml", "text/xml", "text/html"};
  const std::optional<std::size_t> chosen = http::choose_media_type(request.combined_header("accept"), offered);
  if (!chosen) throw Problem(406, "This is served as " + std::string(xml_type) + " and text/html");
  return *chosen == 3 ? Representation::kHtml : Representation::kXml;
}

std::string_view link_suffix(const Parameters& query) {
  const std::string* const format = find_parameter(query, "format");
  return format != nullptr && *format == "html" ? "format=html" : "";
}

}  // namespace courant::feeds
