#include "feeds/render.h"

#include <cstdlib>

#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::feeds {
namespace {

constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr std::string_view kRangeBegin = "<c:range xmlns:c=\"urn:courant:log:1\" previous=\"";
constexpr std::string_view kEntryEnd = "</entry>";
constexpr std::string_view kTombstoneEnd = "</at:deleted-entry>";

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  append_xml_text(out, text);
  out.append("</").append(name).append(">");
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  out.append(" ").append(name).append("=\"");
  append_xml_attribute(out, value);
  out.append("\"");
}

void append_link(std::string& out, std::string_view rel, std::string_view href) {
  out += "<link";
  append_attribute(out, "rel", rel);
  append_attribute(out, "href", href);
  out += "/>";
}

// RFC 5023 section 9.6: what makes an entry a media link entry. Its bytes stand where public_url says, so this is not
// stored.
void append_media(std::string& out, const StoredEntry& entry, std::string_view feed_url, bool has_edits) {
  const std::string url = media_url(feed_url, entry.id);
  if (has_edits) append_link(out, "edit-media", url);
  out += "<content";
  append_attribute(out, "type", entry.media_type);
  append_attribute(out, "src", url);
  out += "/>";
}

// The stored bytes up to their end tag, then c:log and the server's links.
void append_entry(std::string& out, const StoredEntry& entry, std::string_view feed_url, bool has_edits) {
  const std::string_view end = entry.is_tombstone ? kTombstoneEnd : kEntryEnd;
  if (!entry.xml.ends_with(end)) std::abort();
  out.append(entry.xml, 0, entry.xml.size() - end.size());
  out += "<c:log xmlns:c=\"urn:courant:log:1\"";
  append_attribute(out, "position", std::to_string(entry.position));
  append_attribute(out, "leaf", entry.leaf);
  entry.is_redacted ? append_attribute(out, "redacted", "true") : append_attribute(out, "salt", entry.salt);
  if (entry.expires) append_attribute(out, "expires", format_rfc3339(*entry.expires));
  out += "/>";
  if (!entry.is_tombstone) {
    const std::string url = entry_url(feed_url, entry.id);
    out.append("<app:edited xmlns:app=\"http://www.w3.org/2007/app\">").append(format_rfc3339(entry.recorded));
    out += "</app:edited>";
    append_link(out, "self", url);
    if (has_edits) append_link(out, "edit", url);
    if (entry.needs_alternate) append_link(out, "alternate", url);
    if (!entry.media.empty()) append_media(out, entry, feed_url, has_edits);
  }
  out += end;
}

std::size_t expected_size(const FeedDocument& document) {
  std::size_t size = 2048;
  for (const StoredEntry& entry : document.entries) size += entry.xml.size() + entry.id.size() + 512;
  return size;
}

}  // namespace

TombstoneText tombstone_text(std::string_view id) {
  TombstoneText text;
  text.before = "<at:deleted-entry xmlns:at=\"http://purl.org/atompub/tombstones/1.0\"";
  append_attribute(text.before, "ref", id);
  text.before += " when=\"";
  text.after = "\">" + std::string(kTombstoneEnd);
  return text;
}

RedactionText redaction_text(std::string_view id) {
  RedactionText text;
  text.before = tombstone_text(id).before;
  text.middle = "\"><c:redacted xmlns:c=\"urn:courant:log:1\" positions=\"";
  text.after = "\"></c:redacted>" + std::string(kTombstoneEnd);
  return text;
}

std::string entry_url(std::string_view feed_url, std::string_view id) {
  return std::string(feed_url) + "/entries/" + percent_encode(id, ":");
}

std::string media_url(std::string_view feed_url, std::string_view id) {
  return std::string(feed_url) + "/media/" + percent_encode(id, ":");
}

std::string render_entry(const StoredEntry& entry, std::string_view feed_url, bool has_edits) {
  std::string out(kDeclaration);
  out.reserve(entry.xml.size() + 1024);
  append_entry(out, entry, feed_url, has_edits);
  out += '\n';
  return out;
}

std::size_t range_begin_in(std::string_view rendered) {
  return rendered.find(kRangeBegin) + kRangeBegin.size();
}

std::string render_feed(const FeedDocument& document) {
  std::string out;
  out.reserve(expected_size(document));
  out += kDeclaration;
  out += "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n";
  append_element(out, "id", document.id);
  append_element(out, "title", document.title);
  append_element(out, "updated", format_rfc3339(document.updated));
  out += "<author>";
  append_element(out, "name", document.author);
  out += "</author>\n";
  if (document.is_archive) out += "<fh:archive xmlns:fh=\"http://purl.org/syndication/history/1.0\"/>\n";
  for (const Link& link : document.links) {
    append_link(out, link.rel, link.href);
    out += '\n';
  }
  if (!document.chain.empty()) {
    out += "<c:chain xmlns:c=\"urn:courant:log:1\"";
    append_attribute(out, "position", std::to_string(document.chain_position));
    append_attribute(out, "value", document.chain);
    out += "/>\n";
  }
  if (document.range) {
    out += kRangeBegin;
    out += std::to_string(document.range->first) + '"';
    append_attribute(out, "position", std::to_string(document.range->second));
    out += "/>\n";
  }
  // Foreign elements stand before the entries (RFC 4287 section 4.1.1), so tombstones do.
  for (const bool is_tombstone : {true, false}) {
    for (const StoredEntry& entry : document.entries) {
      if (entry.is_tombstone != is_tombstone) continue;
      append_entry(out, entry, document.feed_url, document.has_edits);
      out += '\n';
    }
  }
  out += "</feed>\n";
  return out;
}

}  // namespace courant::feeds
