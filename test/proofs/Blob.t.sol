// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Blob} from "../../contracts/libraries/Blob.sol";
import {Sizes} from "./Sizes.sol";

interface Addresses {
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
}

/// @title Where a contract's creations lie, beside what the test runner computes, and the bytes kept there
contract BlobProperties {
    Addresses private constant ADDRESSES = Addresses(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice The address of a creation is right for each of the first 2,000 nonces.
    function test_theFirstAddresses() external view {
        for (uint256 nonce = 1; nonce <= 2000; ++nonce) {
            _compare(nonce);
        }
    }

    /// @notice The address of a creation is right at both ends of every length that a nonce of 40 bits can have.
    function test_addressesWhereLengthsEnd() external view {
        for (uint256 bits = 1; bits <= 40; ++bits) {
            _compare((1 << bits) - 1);
            if (bits < 40) _compare(1 << bits);
        }
    }

    /// @notice The address of a creation is right for nonces of 40 bits.
    function test_addresses(uint256 nonce, uint256 sizes) external view {
        nonce = Sizes.within(nonce, sizes, 40);
        _compare(nonce == 0 ? 1 : nonce);
    }

    /// @notice What was written is read, whole and word by word; past its end there are zeros.
    function test_whatIsWrittenIsRead(bytes calldata data, uint16 offset) external {
        bytes memory written = abi.encodePacked(bytes1(0), data);
        // The first creation of this contract.
        bytes32 unchanged = keccak256(written);
        Blob.write(written);
        assert(keccak256(written) == unchanged);
        assert(keccak256(Blob.read(1)) == keccak256(written));
        bytes32 word = Blob.wordAt(1, offset);
        for (uint256 i = 0; i < 32; ++i) {
            uint256 place = uint256(offset) + i;
            assert(word[i] == (place < written.length ? written[place] : bytes1(0)));
        }
    }

    function _compare(uint256 nonce) private view {
        assert(Blob.addressOf(nonce) == ADDRESSES.computeCreateAddress(address(this), nonce));
    }
}
