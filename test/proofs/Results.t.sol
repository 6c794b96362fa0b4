// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {BulkLib} from "../../contracts/libraries/BulkLib.sol";
import {ProofLib} from "../../contracts/libraries/ProofLib.sol";
import {ResultLib} from "../../contracts/libraries/ResultLib.sol";
import {Resource} from "../../contracts/types/Deals.sol";

/// @title Results and attached datasets are read as they were written
contract ResultProperties {
    /// @notice The result of one worker is read as it was written.
    function test_oneResult(
        ResultLib.Author memory author,
        bytes calldata results,
        bytes calldata resultsCallback
    ) external pure {
        bytes memory data = ResultLib.encode(author, results, resultsCallback);
        assert(data[0] == 0);
        _compare(ResultLib.decode(data, ResultLib.FIRST, data.length), author, results, resultsCallback);
    }

    /// @notice Of two results in one blob, of one worker or two, each is read as it was written.
    function test_twoResults(
        ResultLib.Author memory author,
        ResultLib.Author memory other,
        bytes calldata results,
        bytes calldata resultsCallback,
        address follower,
        bool isSame
    ) external pure {
        if (isSame) other.worker = author.worker;
        uint256 length = results.length + resultsCallback.length + 74;
        bytes memory data = ResultLib.allocate(ResultLib.FIRST + 2 * length, isSame ? author.worker : follower);
        uint256 middle = ResultLib.put(data, ResultLib.FIRST, author, results, resultsCallback);
        uint256 end = ResultLib.put(data, middle, other, resultsCallback, results);
        ResultLib.trim(data, end);
        assert(data[0] == 0 && data.length == end);
        _compare(ResultLib.decode(data, ResultLib.FIRST, middle), author, results, resultsCallback);
        _compare(ResultLib.decode(data, middle, end), other, resultsCallback, results);
    }

    /// @notice The result that many workers agreed on is read as it was written.
    function test_agreedResult(bytes calldata results, bytes calldata resultsCallback) external pure {
        ResultLib.Author memory nobody;
        bytes memory data = ResultLib.encodeAgreed(results, resultsCallback);
        assert(data[0] == 0);
        _compare(ResultLib.decodeAgreed(data), nobody, results, resultsCallback);
    }

    /// @notice Attached datasets are read as they were written.
    function test_datasets(Resource[] memory datasets) external pure {
        for (uint256 i = 0; i < datasets.length; ++i) {
            datasets[i].price = uint96(datasets[i].price);
        }
        bytes memory data = BulkLib.encode(datasets);
        assert(data[0] == 0 && data.length == 1 + 52 * datasets.length);
        assert(keccak256(abi.encode(BulkLib.decode(data))) == keccak256(abi.encode(datasets)));
    }

    /// @notice What workers commit to and what is signed are the hashes that they are said to be.
    function test_commitments(
        address worker,
        bytes32 taskId,
        bytes32 digest,
        address enclave,
        bytes calldata results,
        bytes calldata resultsCallback
    ) external pure {
        assert(ProofLib.sealOf(worker, taskId, digest) == keccak256(abi.encodePacked(worker, taskId, digest)));
        bytes32 authorization = keccak256(abi.encodePacked(worker, taskId, enclave));
        assert(ProofLib.authorizationOf(worker, taskId, enclave) == authorization);
        bytes32 bound = keccak256(abi.encode(digest, keccak256(results), keccak256(resultsCallback)));
        assert(ProofLib.digestOf(digest, results, resultsCallback) == bound);
    }

    function _compare(
        ResultLib.Result memory result,
        ResultLib.Author memory author,
        bytes memory results,
        bytes memory resultsCallback
    ) private pure {
        assert(keccak256(abi.encode(result.author)) == keccak256(abi.encode(author)));
        assert(keccak256(result.results) == keccak256(results));
        assert(keccak256(result.resultsCallback) == keccak256(resultsCallback));
    }
}
