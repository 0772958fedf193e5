#include "feeds/further_forms.h"

#include <algorithm>

#include "kernel/log.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

// "text/calendar" of "text/calendar;charset=utf-8".
std::string_view without_parameters(std::string_view media_type) {
  return trim(media_type.substr(0, media_type.find(';')));
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
  });
}

// "text/calendar", maybe with parameters, that can stand in a field.
bool is_type_of_form(std::string_view text) {
  const std::string_view type = without_parameters(text);
  const std::size_t slash = type.find('/');
  const bool is_clean = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return is_clean && slash != std::string_view::npos && is_token(type.substr(0, slash)) &&
         is_token(type.substr(slash + 1));
}

}  // namespace

std::optional<std::string> fault_of_forms(const std::vector<FormSettings>& forms) {
  std::set<std::string, std::less<>> names;
  std::set<std::string, std::less<>> types;
  for (const Offer& offer : offers_of_feeds()) {
    names.emplace(offer.format);
    for (const std::string_view type : offer.media_types) types.emplace(type);
  }
  for (const FormSettings& form : forms) {
    const bool is_word = !form.name.empty() && form.name.size() <= 32 && std::ranges::all_of(form.name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!is_word) return "a name must be 1 to 32 lower-case letters, digits or '-', not \"" + form.name + "\"";
    if (!is_type_of_form(form.media_type)) return "\"" + form.media_type + "\" is no media type";
    if (form.stylesheet.empty()) return "the form " + form.name + " has no stylesheet";
    if (!names.insert(form.name).second) return "there is a form called " + form.name + " already";
    const std::string type(without_parameters(form.media_type));
    if (!types.insert(type).second) return "there is a form of the media type " + type + " already";
  }
  return std::nullopt;
}

FeedOffers::FeedOffers(std::shared_ptr<const FeedState> state) : state_(std::move(state)) {
  if (!state_ || state_->settings.forms.empty()) return;
  own_ = offers_of_feeds();
  for (const FormSettings& form : state_->settings.forms) {
    own_.push_back(
        {Representation::kFurther, form.name, form.media_type, {without_parameters(form.media_type)}, &form});
  }
}

void FurtherForms::change(Folder folder) {
  const std::lock_guard lock(mutex_);
  folder_ = std::move(folder);
  ++changes_;
  made_.clear();
  told_.clear();
}

std::optional<Fault> FurtherForms::fault_of(const FormSettings& form, const Folder& folder) {
  const Made made = xslt::Stylesheet::load(folder, form.stylesheet);
  return made ? std::nullopt : std::optional(made.fault());
}

bool FurtherForms::is_prepared(const FeedSettings& settings) const {
  if (settings.forms.empty()) return true;
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(settings.forms, [&](const FormSettings& form) { return made_.contains(form.stylesheet); });
}

void FurtherForms::prepare(const FeedSettings& settings) {
  for (const FormSettings& form : settings.forms) {
    Folder folder;
    std::uint64_t changes = 0;
    {
      const std::lock_guard lock(mutex_);
      if (made_.contains(form.stylesheet)) continue;
      folder = folder_;
      changes = changes_;
    }
    Made made = xslt::Stylesheet::load(folder, form.stylesheet);
    const std::lock_guard lock(mutex_);
    if (changes == changes_) made_.emplace(form.stylesheet, std::move(made));
  }
}

std::string FurtherForms::tag_word(const FormSettings& form) const {
  return form.name + "-" + require(form).version();
}

std::string FurtherForms::make(const FormSettings& form, const FormPlace& place, std::string_view document) const {
  const xslt::Stylesheet stylesheet = require(form);
  const xslt::Stylesheet::Parameters parameters = {
      {"workspace", place.workspace}, {"feed", place.feed}, {"format", form.name}, {"suffix", place.suffix}};
  xslt::Transformation made = tally_.timed_form([&] { return stylesheet.transform(document, parameters); });
  tally_.ended(DoorTally::Of::kForm, made.end);
  if (made.end != xslt::Transformation::End::kDone) fail(form, made.text);
  return std::move(made.text);
}

xslt::Stylesheet FurtherForms::require(const FormSettings& form) const {
  std::string why = "it has just been changed";
  {
    const std::lock_guard lock(mutex_);
    const auto found = made_.find(form.stylesheet);
    if (found != made_.end() && found->second) return *found->second;
    if (found != made_.end()) why = found->second.fault().detail;
  }
  fail(form, why);
}

void FurtherForms::fail(const FormSettings& form, const std::string& why) const {
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    constexpr std::size_t kMostTold = 1000;
    is_news = told_.size() < kMostTold && told_.insert(form.stylesheet + "\n" + why).second;
  }
  if (is_news)
    log_error("a form of a feed cannot be made",
              {{"format", form.name}, {"stylesheet", form.stylesheet}, {"why", why}});
  throw Problem(500, "The form " + form.name + " of this feed cannot be made: its stylesheet fails");
}

}  // namespace courant::feeds
