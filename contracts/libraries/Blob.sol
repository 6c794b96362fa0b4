// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IDeals} from "../interfaces/IDeals.sol";

/// @title Blob: write once, read many
/// @notice Bytes kept as the code of a contract made with plain CREATE. Its address follows from the creator's nonce, so
/// that the nonce, 40 bits, is all that has to be stored.
/// @dev Data begins with a zero byte (STOP): the code does nothing when called.
library Blob {
    /// @dev EIP-170.
    uint256 internal constant MAX_LENGTH = 24_576;

    /// @dev PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: returns what follows it.
    uint256 private constant INIT_CODE = 0x61000080600a3d393df3;

    /// @notice Writes `data` as the next contract that this one creates.
    function write(bytes memory data) internal {
        uint256 length = data.length;
        require(length <= MAX_LENGTH, IDeals.BlobNotWritten(length, MAX_LENGTH));
        uint256 initCode = INIT_CODE | (length << 56);
        address created;
        assembly ("memory-safe") {
            // The code stands in the place of the length meanwhile: before the data, which need not be copied.
            mstore(data, initCode)
            created := create(0, add(data, 22), add(length, 10))
            mstore(data, length)
        }
        require(created != address(0), IDeals.BlobNotWritten(length, MAX_LENGTH));
    }

    /// @notice All of a blob.
    function read(uint256 nonce) internal view returns (bytes memory data) {
        return addressOf(nonce).code;
    }

    /// @notice The 32 bytes of a blob from `offset` on; zeros stand for what lies past its end.
    function wordAt(uint256 nonce, uint256 offset) internal view returns (bytes32 word) {
        address blob = addressOf(nonce);
        assembly ("memory-safe") {
            extcodecopy(blob, 0, offset, 32)
            word := mload(0)
        }
    }

    /// @notice The address of this contract's creation of that nonce: keccak256(rlp([creator, nonce])), last 20 bytes.
    function addressOf(uint256 nonce) internal view returns (address blob) {
        uint256 size = nonce < 0x80 ? 0 : Math.log256(nonce) + 1;
        uint256 rlp = ((0xd6 + size) << 248) | (0x94 << 240) | (uint256(uint160(address(this))) << 80);
        rlp |= size == 0 ? nonce << 72 : ((0x80 + size) << 72) | (nonce << (72 - 8 * size));
        assembly ("memory-safe") {
            mstore(0, rlp)
            blob := and(keccak256(0, add(23, size)), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }
}
