// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Fields} from "../../contracts/registries/Fields.sol";

/// @title The fields of an entry are read as they were written
contract FieldProperties {
    /// @notice Each of four fields, and the word in front of them, is read as it was written.
    function test_fourFields(bytes32 word, bytes[4] memory fields) external {
        bytes memory packed = Fields.pack(word, fields[0], fields[1], fields[2], fields[3]);
        address entry = Clones.cloneWithImmutableArgs(address(this), packed);
        assert(Fields.wordOf(entry) == word);
        for (uint256 i = 0; i < 4; ++i) {
            assert(keccak256(Fields.fieldOf(entry, i, 4)) == keccak256(fields[i]));
        }
    }

    /// @notice Each of two fields, and the word in front of them, is read as it was written.
    function test_twoFields(bytes32 word, bytes memory first, bytes memory last) external {
        address entry = Clones.cloneWithImmutableArgs(address(this), Fields.pack(word, first, last));
        assert(Fields.wordOf(entry) == word);
        assert(keccak256(Fields.fieldOf(entry, 0, 2)) == keccak256(first));
        assert(keccak256(Fields.fieldOf(entry, 1, 2)) == keccak256(last));
    }

    /// @notice An only field is read as it was written.
    function test_oneField(bytes memory text) external {
        address entry = Clones.cloneWithImmutableArgs(address(this), Fields.pack(text));
        assert(keccak256(Fields.textOf(entry)) == keccak256(text));
    }
}
