// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {Blob} from "./Blob.sol";

/// @title ResultLib: the bytes of results
/// @notice A zero byte, a worker, then of each result: digest, enclave, length of the results (15 bits, after one that says
/// whether another worker found it, who follows), results, callback data to the end. The result that many workers agreed
/// on is a zero byte, the 16-bit length of the results, results, callback data: the rest is kept elsewhere.
library ResultLib {
    /// @notice Of a result with one worker.
    struct Author {
        bytes32 digest;
        address worker;
        address enclaveChallenge;
    }

    struct Result {
        Author author;
        bytes results;
        bytes resultsCallback;
    }

    /// @notice Where the first result of a blob begins: after the zero byte and the worker.
    uint256 internal constant FIRST = 21;

    uint256 private constant AGREED_FIRST = 1;
    uint256 private constant SIZE_OFFSET = 52;
    uint256 private constant SIZE_LENGTH = 2;
    uint256 private constant WORKER_LENGTH = 20;
    uint256 private constant HAS_WORKER = 1 << 15;

    /// @notice Room for a blob of at most `length` bytes, with results most of which `worker` found.
    function allocate(uint256 length, address worker) internal pure returns (bytes memory data) {
        // Two words more, for what is written over the end.
        data = new bytes(length + 64);
        assembly ("memory-safe") {
            mstore(add(data, 33), shl(96, worker))
        }
    }

    /// @notice Makes `data` end at `end`.
    function trim(bytes memory data, uint256 end) internal pure {
        assembly ("memory-safe") {
            mstore(data, end)
        }
    }

    /// @notice Writes a result into `data` at `offset`; returns where it ends.
    /// @dev Results whose length does not fit 15 bits make a blob that cannot be written.
    function put(
        bytes memory data,
        uint256 offset,
        Author memory author,
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (uint256) {
        bool sameWorker = _workerIn(data) == author.worker;
        uint256 size = results.length | (sameWorker ? 0 : HAS_WORKER);
        assembly ("memory-safe") {
            let cursor := add(add(data, 32), offset)
            mcopy(cursor, author, 32)
            mstore(add(cursor, 32), shl(96, mload(add(author, 64))))
            mstore(add(cursor, 52), shl(240, size))
            if iszero(sameWorker) {
                mstore(add(cursor, 54), shl(96, mload(add(author, 32))))
            }
        }
        uint256 start = offset + SIZE_OFFSET + SIZE_LENGTH + (sameWorker ? 0 : WORKER_LENGTH);
        return _putBytes(data, start, results, resultsCallback);
    }

    /// @notice The bytes of the one result of one worker.
    function encode(
        Author memory author,
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (bytes memory data) {
        data = allocate(FIRST + SIZE_OFFSET + SIZE_LENGTH + results.length + resultsCallback.length, author.worker);
        trim(data, put(data, FIRST, author, results, resultsCallback));
    }

    /// @notice The bytes of the result that many workers agreed on.
    /// @dev Results whose length does not fit 16 bits make a blob that cannot be written.
    function encodeAgreed(
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (bytes memory data) {
        data = new bytes(AGREED_FIRST + SIZE_LENGTH + results.length + resultsCallback.length + 32);
        assembly ("memory-safe") {
            mstore(add(data, 33), shl(240, results.length))
        }
        trim(data, _putBytes(data, AGREED_FIRST + SIZE_LENGTH, results, resultsCallback));
    }

    /// @notice What `put` wrote from `offset` to `end`.
    function decode(bytes memory data, uint256 offset, uint256 end) internal pure returns (Result memory result) {
        Author memory author = result.author;
        uint256 size;
        assembly ("memory-safe") {
            let cursor := add(add(data, 32), offset)
            mcopy(author, cursor, 32)
            mstore(add(author, 64), shr(96, mload(add(cursor, 32))))
            size := shr(240, mload(add(cursor, 52)))
            // Read in any case: it means something only if the size says so.
            mstore(add(author, 32), shr(96, mload(add(cursor, 54))))
        }
        uint256 start = offset + SIZE_OFFSET + SIZE_LENGTH;
        if (size & HAS_WORKER != 0) start += WORKER_LENGTH;
        else author.worker = _workerIn(data);
        (result.results, result.resultsCallback) = _takeBytes(data, start, size & ~HAS_WORKER, end);
    }

    /// @notice What `encodeAgreed` wrote.
    function decodeAgreed(bytes memory data) internal pure returns (Result memory result) {
        uint256 size;
        assembly ("memory-safe") {
            size := shr(240, mload(add(data, 33)))
        }
        (result.results, result.resultsCallback) = _takeBytes(data, AGREED_FIRST + SIZE_LENGTH, size, data.length);
    }

    function _workerIn(bytes memory data) private pure returns (address worker) {
        assembly ("memory-safe") {
            worker := shr(96, mload(add(data, 33)))
        }
    }

    function _putBytes(
        bytes memory data,
        uint256 start,
        bytes calldata results,
        bytes calldata resultsCallback
    ) private pure returns (uint256 end) {
        uint256 middle = start + results.length;
        end = middle + resultsCallback.length;
        require(end <= data.length, IDeals.BlobNotWritten(end, Blob.MAX_LENGTH));
        assembly ("memory-safe") {
            let bottom := add(data, 32)
            calldatacopy(add(bottom, start), results.offset, results.length)
            calldatacopy(add(bottom, middle), resultsCallback.offset, resultsCallback.length)
        }
    }

    function _takeBytes(
        bytes memory data,
        uint256 start,
        uint256 size,
        uint256 end
    ) private pure returns (bytes memory results, bytes memory resultsCallback) {
        return (Bytes.slice(data, start, start + size), Bytes.slice(data, start + size, end));
    }
}
