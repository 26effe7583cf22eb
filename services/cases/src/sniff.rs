//! What form a file has, by its first bytes: never by what its sender says of it.

use crate::case::words::MediaType;

/// The forms that are taken, each with the bytes that it begins with.
const FORMS: [(&[u8], MediaType); 5] = [
    (b"\xff\xd8\xff", MediaType::Jpeg),
    (b"\x89PNG\r\n\x1a\n", MediaType::Png),
    (b"%PDF-", MediaType::Pdf),
    (b"II*\0", MediaType::Tiff),
    (b"MM\0*", MediaType::Tiff),
];

/// The form of a file; none when it is of no form that is taken.
pub(crate) fn media_type(content: &[u8]) -> Option<MediaType> {
    FORMS.iter().find(|(beginning, _)| content.starts_with(beginning)).map(|(_, form)| *form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn papers_and_photographs_are_known_by_their_bytes() {
        for (content, form) in [
            (b"\xff\xd8\xff\xe0..JFIF".as_slice(), Some(MediaType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n....", Some(MediaType::Png)),
            (b"%PDF-1.7", Some(MediaType::Pdf)),
            (b"II*\0....", Some(MediaType::Tiff)),
            (b"MM\0*....", Some(MediaType::Tiff)),
            (b"GIF89a", None),
            (b"PK\x03\x04", None),
            (b"<svg>", None),
            (b"MZ", None),
            (b"", None),
        ] {
            assert_eq!(media_type(content), form, "{content:?}");
        }
    }
}
