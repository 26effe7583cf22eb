//! People who do not exist. Their family name is the Khmer word for "example", their given name that of a thing.

use spean_vocabulary::Sex;

/// A person nobody can be mistaken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventedPerson {
    /// Full name in Khmer, family name first.
    pub name_km: &'static str,
    /// The same in Latin letters.
    pub name_latin: &'static str,
    /// Recorded sex.
    pub sex: Sex,
    /// Year of birth.
    pub born_in: i16,
}

/// The person with this number; after the last comes the first again.
pub fn a_person(number: usize) -> InventedPerson {
    PEOPLE[number % PEOPLE.len()]
}

/// All of them.
#[rustfmt::skip]
pub const PEOPLE: [InventedPerson; 48] = [
    InventedPerson { name_km: "គំរូ ក្រហម", name_latin: "Kumru Kraham", sex: Sex::Female, born_in: 1958 },
    InventedPerson { name_km: "គំរូ ខៀវ", name_latin: "Kumru Khiev", sex: Sex::Female, born_in: 1995 },
    InventedPerson { name_km: "គំរូ បៃតង", name_latin: "Kumru Baitang", sex: Sex::Female, born_in: 1970 },
    InventedPerson { name_km: "គំរូ លឿង", name_latin: "Kumru Loeung", sex: Sex::Male, born_in: 2007 },
    InventedPerson { name_km: "គំរូ ខ្មៅ", name_latin: "Kumru Khmao", sex: Sex::Male, born_in: 1982 },
    InventedPerson { name_km: "គំរូ ដូង", name_latin: "Kumru Doung", sex: Sex::Male, born_in: 2019 },
    InventedPerson { name_km: "គំរូ ចេក", name_latin: "Kumru Chek", sex: Sex::Female, born_in: 1994 },
    InventedPerson { name_km: "គំរូ ល្ហុង", name_latin: "Kumru Lhong", sex: Sex::Female, born_in: 1969 },
    InventedPerson { name_km: "គំរូ ក្រូច", name_latin: "Kumru Krauch", sex: Sex::Female, born_in: 2006 },
    InventedPerson { name_km: "គំរូ ឪឡឹក", name_latin: "Kumru Ovloek", sex: Sex::Male, born_in: 1981 },
    InventedPerson { name_km: "គំរូ ស្លឹក", name_latin: "Kumru Sloek", sex: Sex::Male, born_in: 2018 },
    InventedPerson { name_km: "គំរូ ភ្នំ", name_latin: "Kumru Phnom", sex: Sex::Male, born_in: 1993 },
    InventedPerson { name_km: "គំរូ ទន្លេ", name_latin: "Kumru Tonle", sex: Sex::Female, born_in: 1968 },
    InventedPerson { name_km: "គំរូ សមុទ្រ", name_latin: "Kumru Samut", sex: Sex::Female, born_in: 2005 },
    InventedPerson { name_km: "គំរូ ផ្កាយ", name_latin: "Kumru Phkay", sex: Sex::Female, born_in: 1980 },
    InventedPerson { name_km: "គំរូ ខ្យល់", name_latin: "Kumru Khyal", sex: Sex::Male, born_in: 2017 },
    InventedPerson { name_km: "គំរូ ភ្លៀង", name_latin: "Kumru Phlieng", sex: Sex::Unknown, born_in: 1992 },
    InventedPerson { name_km: "គំរូ ពពក", name_latin: "Kumru Popok", sex: Sex::Male, born_in: 1967 },
    InventedPerson { name_km: "គំរូ ដំរី", name_latin: "Kumru Damrei", sex: Sex::Female, born_in: 2004 },
    InventedPerson { name_km: "គំរូ ខ្លា", name_latin: "Kumru Khla", sex: Sex::Female, born_in: 1979 },
    InventedPerson { name_km: "គំរូ ត្រី", name_latin: "Kumru Trei", sex: Sex::Female, born_in: 2016 },
    InventedPerson { name_km: "គំរូ អណ្តើក", name_latin: "Kumru Andaek", sex: Sex::Male, born_in: 1991 },
    InventedPerson { name_km: "គំរូ ក្ងោក", name_latin: "Kumru Kngaok", sex: Sex::Male, born_in: 1966 },
    InventedPerson { name_km: "គំរូ ទា", name_latin: "Kumru Tea", sex: Sex::Male, born_in: 2003 },
    InventedPerson { name_km: "គំរូ មាន់", name_latin: "Kumru Moan", sex: Sex::Female, born_in: 1978 },
    InventedPerson { name_km: "គំរូ ឆ្មា", name_latin: "Kumru Chhma", sex: Sex::Female, born_in: 2015 },
    InventedPerson { name_km: "គំរូ សេះ", name_latin: "Kumru Seh", sex: Sex::Female, born_in: 1990 },
    InventedPerson { name_km: "គំរូ គោ", name_latin: "Kumru Ko", sex: Sex::Male, born_in: 1965 },
    InventedPerson { name_km: "គំរូ ក្របី", name_latin: "Kumru Krabei", sex: Sex::Male, born_in: 2002 },
    InventedPerson { name_km: "គំរូ ទន្សាយ", name_latin: "Kumru Tonsay", sex: Sex::Male, born_in: 1977 },
    InventedPerson { name_km: "គំរូ កណ្តុរ", name_latin: "Kumru Kandor", sex: Sex::Female, born_in: 2014 },
    InventedPerson { name_km: "គំរូ ស្វា", name_latin: "Kumru Sva", sex: Sex::Female, born_in: 1989 },
    InventedPerson { name_km: "គំរូ តុ", name_latin: "Kumru Tok", sex: Sex::Female, born_in: 1964 },
    InventedPerson { name_km: "គំរូ កៅអី", name_latin: "Kumru Kaoei", sex: Sex::Unknown, born_in: 2001 },
    InventedPerson { name_km: "គំរូ ទូក", name_latin: "Kumru Touk", sex: Sex::Male, born_in: 1976 },
    InventedPerson { name_km: "គំរូ កង់", name_latin: "Kumru Kang", sex: Sex::Male, born_in: 2013 },
    InventedPerson { name_km: "គំរូ សៀវភៅ", name_latin: "Kumru Sievphov", sex: Sex::Female, born_in: 1988 },
    InventedPerson { name_km: "គំរូ ចាន", name_latin: "Kumru Chan", sex: Sex::Female, born_in: 1963 },
    InventedPerson { name_km: "គំរូ ស្លាបព្រា", name_latin: "Kumru Slapprea", sex: Sex::Female, born_in: 2000 },
    InventedPerson { name_km: "គំរូ ផ្ទះ", name_latin: "Kumru Phteah", sex: Sex::Male, born_in: 1975 },
    InventedPerson { name_km: "គំរូ ឈើ", name_latin: "Kumru Chheu", sex: Sex::Male, born_in: 2012 },
    InventedPerson { name_km: "គំរូ ថ្ម", name_latin: "Kumru Thma", sex: Sex::Male, born_in: 1987 },
    InventedPerson { name_km: "គំរូ អំបិល", name_latin: "Kumru Ambel", sex: Sex::Female, born_in: 1962 },
    InventedPerson { name_km: "គំរូ ម្រេច", name_latin: "Kumru Mrech", sex: Sex::Female, born_in: 1999 },
    InventedPerson { name_km: "គំរូ ឆ័ត្រ", name_latin: "Kumru Chhat", sex: Sex::Female, born_in: 1974 },
    InventedPerson { name_km: "គំរូ នាឡិកា", name_latin: "Kumru Nealika", sex: Sex::Male, born_in: 2011 },
    InventedPerson { name_km: "គំរូ ចង្កៀង", name_latin: "Kumru Changkieng", sex: Sex::Male, born_in: 1986 },
    InventedPerson { name_km: "គំរូ ពោត", name_latin: "Kumru Pot", sex: Sex::Male, born_in: 1961 },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_share_a_name_and_every_name_says_that_it_is_an_example() {
        assert_eq!(PEOPLE.iter().map(|person| person.name_km).collect::<BTreeSet<_>>().len(), PEOPLE.len());
        assert_eq!(PEOPLE.iter().map(|person| person.name_latin).collect::<BTreeSet<_>>().len(), PEOPLE.len());
        assert!(PEOPLE.iter().all(|person| person.name_km.starts_with("គំរូ ")));
        assert!(PEOPLE.iter().all(|person| person.name_latin.starts_with("Kumru ")));
        assert_eq!(a_person(PEOPLE.len()), a_person(0));
    }
}
