// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";

/// @title Fields
/// @notice How the fields of an entry are written into its code: one word first, then a 16-bit length before every field
/// but the last, which takes the rest. Different fields never give the same bytes, so they never give the same address.
library Fields {
    /// @notice Room for the fields in one contract's code: 24,576 bytes (EIP-170) less the 45 of the clone.
    uint256 internal constant MAX_LENGTH = 24_531;

    /// @notice Thrown when the fields of an entry, `length` bytes together, do not fit into one contract.
    error FieldsTooLong(uint256 length, uint256 limit);

    uint256 private constant WORD = 32;
    uint256 private constant PREFIX = 2;

    /// @notice Joins fields to one byte string. Reverts with FieldsTooLong rather than shorten a length.
    function pack(bytes32 word, bytes memory first, bytes memory last) internal pure returns (bytes memory) {
        _checkLength(WORD + PREFIX + first.length + last.length);
        return abi.encodePacked(word, uint16(first.length), first, last);
    }

    /// @notice Like the other `pack`, for four fields.
    function pack(
        bytes32 word,
        bytes memory first,
        bytes memory second,
        bytes memory third,
        bytes memory last
    ) internal pure returns (bytes memory) {
        _checkLength(WORD + 3 * PREFIX + first.length + second.length + third.length + last.length);
        return
            abi.encodePacked(
                word,
                uint16(first.length),
                first,
                uint16(second.length),
                second,
                uint16(third.length),
                third,
                last
            );
    }

    /// @notice For an entry whose only field is `text`.
    function pack(bytes memory text) internal pure returns (bytes memory) {
        _checkLength(text.length);
        return text;
    }

    /// @notice The word in front of the fields of `entry`.
    function wordOf(address entry) internal view returns (bytes32) {
        return bytes32(Bytes.slice(Clones.fetchCloneArgs(entry), 0, WORD));
    }

    /// @notice The field with the given `index` of an entry that has `count` of them.
    function fieldOf(address entry, uint256 index, uint256 count) internal view returns (bytes memory) {
        bytes memory packed = Clones.fetchCloneArgs(entry);
        uint256 start = WORD;
        for (uint256 i = 0; i < index; ++i) {
            start += PREFIX + _lengthAt(packed, start);
        }
        if (index + 1 == count) return Bytes.slice(packed, start);
        uint256 end = start + PREFIX + _lengthAt(packed, start);
        return Bytes.slice(packed, start + PREFIX, end);
    }

    /// @notice The only field of `entry`.
    function textOf(address entry) internal view returns (bytes memory) {
        return Clones.fetchCloneArgs(entry);
    }

    function _lengthAt(bytes memory packed, uint256 start) private pure returns (uint256) {
        return (uint256(uint8(packed[start])) << 8) | uint8(packed[start + 1]);
    }

    function _checkLength(uint256 length) private pure {
        require(length <= MAX_LENGTH, FieldsTooLong(length, MAX_LENGTH));
    }
}
