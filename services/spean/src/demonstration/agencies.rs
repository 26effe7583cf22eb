//! The network of the demonstration: six agencies, each with its own process, database, keys and account at the broker.

use std::path::Path;

use spean_identity::Directory;

use crate::network;

/// The nodes in the order in which they are started.
pub const NODES: [&str; 6] = ["mosvy", "poipet", "house-of-hope", "banteay-meanchey", "ratanak-kiri", "kandal"];

/// The nodes at the end of a bad line: each runs a broker of its own, a leaf of the hub.
pub const REMOTE: [&str; 1] = ["ratanak-kiri"];

/// The ministry's office.
pub const MINISTRY: &str = "mosvy-atro";
/// The transit centre at the Thai border.
pub const TRANSIT_CENTRE: &str = "poipet-transit-centre";
/// A shelter in Phnom Penh. Its name is invented.
pub const SHELTER: &str = "house-of-hope-phnom-penh";
/// The provincial office of Banteay Meanchey.
pub const BANTEAY_MEANCHEY: &str = "dsvy-banteay-meanchey";
/// The provincial office of Ratanak Kiri.
pub const RATANAK_KIRI: &str = "dsvy-ratanak-kiri";
/// The provincial office of Kandal.
pub const KANDAL: &str = "dsvy-kandal";
/// A district office of Kandal, on the province's node.
pub const KIEN_SVAY: &str = "osvy-kien-svay";
/// Another one.
pub const SAANG: &str = "osvy-saang";

/// A commune council of that district, on the province's node: it reports, and holds no cases.
pub const BANTEAY_DAEK: &str = "commune-banteay-daek";
/// A hotline of the same organisation as the shelter, on its node.
pub const HOTLINE: &str = "hotline-phnom-penh";

/// The directory as a person would write it. Places are those of the official lists of 2025.
const NETWORK: &str = r#"
network = "spean demonstration"
edition = 1
authority = "mosvy-atro"
cosigner = "dsvy-banteay-meanchey"
registry = "mosvy-atro"

[[agency]]
id = "mosvy"
name_en = "Ministry of Social Affairs, Veterans and Youth Rehabilitation"
name_km = "ក្រសួងសង្គមកិច្ច អតីតយុទ្ធជន និងយុវនីតិសម្បទា"
[[agency]]
id = "ptc"
name_en = "Poipet Transit Centre"
name_km = "មណ្ឌលឆ្លងកាត់ប៉ោយប៉ែត"
[[agency]]
id = "house-of-hope"
name_en = "House of Hope (an invented NGO)"
name_km = "ផ្ទះសង្ឃឹម"
[[agency]]
id = "dsvy-banteay-meanchey"
name_en = "Social Affairs of Banteay Meanchey"
name_km = "មន្ទីរសង្គមកិច្ចខេត្តបន្ទាយមានជ័យ"
[[agency]]
id = "dsvy-ratanak-kiri"
name_en = "Social Affairs of Ratanak Kiri"
name_km = "មន្ទីរសង្គមកិច្ចខេត្តរតនគិរី"
[[agency]]
id = "dsvy-kandal"
name_en = "Social Affairs of Kandal"
name_km = "មន្ទីរសង្គមកិច្ចខេត្តកណ្ដាល"

[[node]]
id = "mosvy"
agency = "mosvy"
tag = "MO"
keys_folder = "mosvy/keys"
[[node]]
id = "poipet"
agency = "ptc"
tag = "PT"
keys_folder = "poipet/keys"
[[node]]
id = "house-of-hope"
agency = "house-of-hope"
tag = "HH"
keys_folder = "house-of-hope/keys"
[[node]]
id = "banteay-meanchey"
agency = "dsvy-banteay-meanchey"
tag = "BM"
keys_folder = "banteay-meanchey/keys"
[[node]]
id = "ratanak-kiri"
agency = "dsvy-ratanak-kiri"
tag = "RK"
keys_folder = "ratanak-kiri/keys"
[[node]]
id = "kandal"
agency = "dsvy-kandal"
tag = "KD"
keys_folder = "kandal/keys"

[[office]]
id = "mosvy-atro"
node = "mosvy"
name_en = "Anti-Trafficking and Reintegration Office"
name_km = "ការិយាល័យប្រឆាំងអំពើជួញដូរ និងសមាហរណកម្ម"
level = "national"
place = "12"
[[office]]
id = "poipet-transit-centre"
node = "poipet"
name_en = "Poipet Transit Centre"
name_km = "មណ្ឌលឆ្លងកាត់ប៉ោយប៉ែត"
level = "facility"
place = "0110"
above = "dsvy-banteay-meanchey"
[[office]]
id = "house-of-hope-phnom-penh"
node = "house-of-hope"
name_en = "House of Hope, Phnom Penh"
name_km = "ផ្ទះសង្ឃឹម ភ្នំពេញ"
level = "facility"
place = "12"
above = "mosvy-atro"
[[office]]
id = "dsvy-banteay-meanchey"
node = "banteay-meanchey"
name_en = "Provincial office of Banteay Meanchey"
name_km = "មន្ទីរសង្គមកិច្ចខេត្តបន្ទាយមានជ័យ"
level = "province"
place = "01"
above = "mosvy-atro"
[[office]]
id = "osvy-poipet"
node = "banteay-meanchey"
name_en = "District office of Poipet"
name_km = "ការិយាល័យសង្គមកិច្ចក្រុងប៉ោយប៉ែត"
level = "district"
place = "0110"
above = "dsvy-banteay-meanchey"
[[office]]
id = "dsvy-ratanak-kiri"
node = "ratanak-kiri"
name_en = "Provincial office of Ratanak Kiri"
name_km = "មន្ទីរសង្គមកិច្ចខេត្តរតនគិរី"
level = "province"
place = "16"
above = "mosvy-atro"
[[office]]
id = "osvy-ban-lung"
node = "ratanak-kiri"
name_en = "District office of Ban Lung"
name_km = "ការិយាល័យសង្គមកិច្ចក្រុងបានលុង"
level = "district"
place = "1602"
above = "dsvy-ratanak-kiri"
staffed = false
[[office]]
id = "dsvy-kandal"
node = "kandal"
name_en = "Provincial office of Kandal"
name_km = "មន្ទីរសង្គមកិច្ចខេត្តកណ្ដាល"
level = "province"
place = "08"
above = "mosvy-atro"
[[office]]
id = "osvy-kien-svay"
node = "kandal"
name_en = "District office of Kien Svay"
name_km = "ការិយាល័យសង្គមកិច្ចស្រុកកៀនស្វាយ"
level = "district"
place = "0802"
above = "dsvy-kandal"
[[office]]
id = "osvy-saang"
node = "kandal"
name_en = "District office of S'ang"
name_km = "ការិយាល័យសង្គមកិច្ចស្រុកស្អាង"
level = "district"
place = "0810"
above = "dsvy-kandal"
[[office]]
id = "commune-banteay-daek"
node = "kandal"
name_en = "Commune council of Banteay Daek"
name_km = "ក្រុមប្រឹក្សាឃុំបន្ទាយដែក"
level = "commune"
place = "080201"
above = "osvy-kien-svay"
[[office]]
id = "hotline-phnom-penh"
node = "house-of-hope"
name_en = "Hotline of the House of Hope"
name_km = "ខ្សែទូរសព្ទបន្ទាន់ ផ្ទះសង្ឃឹម"
level = "facility"
place = "12"
above = "mosvy-atro"
"#;

/// The directory, with the public keys of the nodes whose folders lie in `folder`.
pub(super) fn directory(folder: &Path) -> anyhow::Result<Directory> {
    network::parse(NETWORK, folder)
}
