//! The language of the messages: Khmer or English, as the locale of the terminal says.

use std::env;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};

/// A language that the program speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, also for every locale that is neither.
    English,
    /// Khmer.
    Khmer,
}

/// The variables that name the locale, as POSIX orders them.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// Messages of each language, one text for each kind.
const ENGLISH: &[&str] = &[
    include_str!("../locales/en/program.ftl"),
    include_str!("../locales/en/commands.ftl"),
    include_str!("../locales/en/fields.ftl"),
    include_str!("../locales/en/words.ftl"),
    include_str!("../locales/en/reasons.ftl"),
];
const KHMER: &[&str] = &[
    include_str!("../locales/km/program.ftl"),
    include_str!("../locales/km/commands.ftl"),
    include_str!("../locales/km/fields.ftl"),
    include_str!("../locales/km/words.ftl"),
    include_str!("../locales/km/reasons.ftl"),
];

impl Language {
    /// The language of the environment: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that says something.
    pub fn of_environment() -> Self {
        let said = LOCALE.iter().filter_map(|name| env::var(name).ok()).find(|locale| !locale.is_empty());
        said.map_or(Self::English, |locale| Self::of_locale(&locale))
    }

    /// The language of a locale such as `km_KH.UTF-8`.
    pub fn of_locale(locale: &str) -> Self {
        match locale.split(['_', '-', '.', '@']).next() {
            Some("km" | "khm") => Self::Khmer,
            _ => Self::English,
        }
    }

    /// The texts of its messages.
    pub(crate) const fn texts(self) -> &'static [&'static str] {
        match self {
            Self::English => ENGLISH,
            Self::Khmer => KHMER,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Khmer => "km",
        }
    }
}

/// Messages in one language; what is missing there is said in English.
pub struct Words {
    bundles: Vec<FluentBundle<FluentResource>>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Words").finish_non_exhaustive()
    }
}

impl Words {
    /// The messages of a language.
    pub fn new(language: Language) -> Self {
        let order: &[Language] = match language {
            Language::Khmer => &[Language::Khmer, Language::English],
            Language::English => &[Language::English],
        };
        Self { bundles: order.iter().map(|language| bundle(*language)).collect() }
    }

    /// The messages of the language of the environment.
    pub fn of_environment() -> Self {
        Self::new(Language::of_environment())
    }

    /// A message; its key, when there is none.
    pub(crate) fn say(&self, key: &str) -> String {
        self.find(key).unwrap_or_else(|| key.to_owned())
    }

    /// A message with texts to put in.
    pub(crate) fn say_with(&self, key: &str, given: &[(&str, &str)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, text) in given {
            arguments.set(*name, FluentValue::from(*text));
        }
        self.format(key, Some(&arguments)).unwrap_or_else(|| key.to_owned())
    }

    /// A message with numbers to put in.
    pub(crate) fn say_counting(&self, key: &str, given: &[(&str, usize)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, number) in given {
            arguments.set(*name, FluentValue::from(*number));
        }
        self.format(key, Some(&arguments)).unwrap_or_else(|| key.to_owned())
    }

    /// A message, when there is one.
    pub(crate) fn find(&self, key: &str) -> Option<String> {
        self.format(key, None)
    }

    /// The label of a field of the interface, such as `case_id`.
    pub(crate) fn label(&self, field: &str) -> String {
        self.find(&format!("field-{}", kebab(field))).unwrap_or_else(|| field.replace('_', " "))
    }

    /// A word of an enumeration, such as `NO_CAPACITY` of `DeclineReason`.
    pub(crate) fn word(&self, enumeration: &str, word: &str) -> String {
        let own = format!("word-{enumeration}-{}", kebab(word));
        let shared = format!("word-{}", kebab(word));
        let found = self.find(&own).or_else(|| self.find(&shared));
        found.unwrap_or_else(|| word.to_lowercase().replace('_', " "))
    }

    fn format(&self, key: &str, arguments: Option<&FluentArgs<'_>>) -> Option<String> {
        self.bundles.iter().find_map(|bundle| {
            let pattern = bundle.get_message(key)?.value()?;
            Some(bundle.format_pattern(pattern, arguments, &mut Vec::new()).into_owned())
        })
    }
}

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let identifier = language.code().parse().expect("it is the code of a language");
    let mut bundle = FluentBundle::new(vec![identifier]);
    // Marks of direction are for scripts that run the other way; terminals show them as boxes.
    bundle.set_use_isolating(false);
    for text in language.texts() {
        let resource = FluentResource::try_new((*text).to_owned()).expect("a test reads every text");
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// `no_capacity` and `NO_CAPACITY` as `no-capacity`: how names are written in keys, and in what people type.
pub(crate) fn kebab(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_chooses_the_language() {
        for locale in ["km_KH.UTF-8", "km", "km-KH", "khm", "km@latin"] {
            assert_eq!(Language::of_locale(locale), Language::Khmer, "{locale}");
        }
        for locale in ["C", "POSIX", "en_US.UTF-8", "fr_FR", "kmr_TR"] {
            assert_eq!(Language::of_locale(locale), Language::English, "{locale}");
        }
    }

    #[test]
    fn what_is_not_there_in_khmer_is_said_in_english() {
        let words = Words { bundles: vec![lone("km", "a = ក"), lone("en", "a = a\nb = b")] };
        assert_eq!((words.say("a"), words.say("b"), words.say("c")), ("ក".into(), "b".into(), "c".into()));
    }

    fn lone(code: &str, text: &str) -> FluentBundle<FluentResource> {
        let mut bundle = FluentBundle::new(vec![code.parse().unwrap()]);
        bundle.add_resource(FluentResource::try_new(text.to_owned()).unwrap()).unwrap();
        bundle
    }
}
