/// Whether topic names match, as MQTT 5 says in section 4.7.
struct TopicFilter: Sendable, Equatable {
    /// As it was given.
    let text: String
    // Bytes: equal names are equal bytes, while Swift's characters would know more than one way to write them.
    private let levels: [ArraySlice<UInt8>]
    private let beginsWithWildcard: Bool

    init(_ filter: String) {
        text = filter
        var bytes = ArraySlice(filter.utf8)
        // A shared subscription is $share/NAME/FILTER.
        if filter.hasPrefix("$share/") {
            bytes = bytes.split(separator: slash, maxSplits: 2, omittingEmptySubsequences: false).last ?? []
        }
        levels = bytes.split(separator: slash, omittingEmptySubsequences: false)
        beginsWithWildcard = levels.first.map { $0.elementsEqual([plus]) || $0.elementsEqual([hash]) } ?? false
    }

    static func == (one: Self, other: Self) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    func matches(_ topic: String) -> Bool {
        let names = ArraySlice(topic.utf8).split(separator: slash, omittingEmptySubsequences: false)
        // [MQTT-4.7.2-1]
        if beginsWithWildcard, topic.utf8.first == dollar { return false }
        for (index, level) in levels.enumerated() {
            if level.elementsEqual([hash]) { return true }
            guard index < names.count else { return false }
            if !level.elementsEqual([plus]), !level.elementsEqual(names[index]) { return false }
        }
        return levels.count == names.count
    }
}

private let slash = UInt8(ascii: "/")
private let plus = UInt8(ascii: "+")
private let hash = UInt8(ascii: "#")
private let dollar = UInt8(ascii: "$")
