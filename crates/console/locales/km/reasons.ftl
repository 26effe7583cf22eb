# Reasons of refusals by their code. What has no message here is said in the words of the node.

reason-not-permitted = មិនអនុញ្ញាតសម្រាប់តួនាទី ឬការិយាល័យរបស់អ្នកទេ
reason-not-found = រកមិនឃើញ ឬមិនមែនសម្រាប់ការិយាល័យរបស់អ្នក
reason-no-token = ត្រូវការសញ្ញាសម្ងាត់បុគ្គលិក
reason-token-expired = សញ្ញាសម្ងាត់ផុតកំណត់៖ សូមសុំថ្មីពីអ្នកគ្រប់គ្រង
reason-token-not-yet-valid = សញ្ញាសម្ងាត់មិនទាន់មានសុពលភាព
reason-token-not-valid = ថ្នាំងមិនទទួលស្គាល់សញ្ញាសម្ងាត់
reason-command-id-reused = លេខសម្គាល់ពាក្យបញ្ជានេះត្រូវបានប្រើសម្រាប់សំណើផ្សេង
reason-overloaded = ថ្នាំងមានកិច្ចការច្រើនពេក៖ សូមព្យាយាមម្តងទៀតបន្តិចក្រោយ
reason-standby = ថ្នាំងផ្សេងទៀតកំពុងសរសេរ៖ សូមសួរថ្នាំងនោះ ឬរង់ចាំ
reason-database-away = មូលដ្ឋានទិន្នន័យបាត់៖ សូមព្យាយាមម្តងទៀតដោយប្រើលេខពាក្យបញ្ជាដដែល
reason-vault-away = ឃ្លាំងសម្ងាត់បាត់៖ សូមព្យាយាមម្តងទៀតដោយប្រើលេខពាក្យបញ្ជាដដែល
reason-internal = ថ្នាំងមានកំហុស៖ សូមមើលកំណត់ហេតុរបស់វា
reason-unavailable = ថ្នាំងមិនអាចធ្វើបានឥឡូវ៖ សូមព្យាយាមម្តងទៀត
reason-unimplemented = ថ្នាំងមិនដំណើរការសេវានេះទេ
reason-consent-missing = សាមីខ្លួនមិនបានយល់ព្រមចំពោះរឿងនេះទេ
reason-already-answered = បានឆ្លើយរួចហើយ
reason-withdrawn = សំណើត្រូវបានដកវិញ
reason-directory-has-defects = សៀវភៅការិយាល័យផ្ទុយគ្នា
reason-not-above-this-office = ការិយាល័យរបស់អ្នកមិននៅលើការិយាល័យនេះទេ
