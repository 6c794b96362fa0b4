// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {TaskStatus} from "../contracts/types/Deals.sol";
import {Cast} from "./spec/Cast.sol";

/// @title Packing: what does not fit a narrow place is found in a wide one
/// @notice Slots that the contracts write whole, in assembly, are nothing that the model checker could follow: they, and what
/// orders and deals keep in them, are properties (test/proofs/Slots.t.sol, test/proofs/Deals.t.sol).
contract Packing {
    // cut contracts/hub/HubStorage.sol: DealState TaskState WIDE_REQUEST WIDE_INDEX _deals _tasks _wide
    // cut contracts/hub/HubStorage.sol: _consumedOfRequest _setConsumedOfRequest _narrowConsumed _narrowIndex _indexOf

    /// @notice Whatever was consumed of a request is read as it was written.
    function aRequestKeepsWhatIsConsumed(bytes32 requestHash, uint256 consumed) external {
        _setConsumedOfRequest(requestHash, consumed);
        assert(_consumedOfRequest(requestHash) == consumed);
    }

    /// @notice Writing what was consumed of a request leaves the others alone.
    function aRequestLeavesOthersAlone(bytes32 requestHash, bytes32 other, uint256 consumed) external {
        require(requestHash != other);
        uint256 before = _consumedOfRequest(other);
        _setConsumedOfRequest(requestHash, consumed);
        assert(_consumedOfRequest(other) == before);
    }

    /// @notice Whatever index a task has is read as it was written.
    function aTaskKeepsItsIndex(bytes32 taskId, uint256 index) external {
        _tasks[taskId].index = _narrowIndex(taskId, index);
        assert(_indexOf(taskId) == index);
    }

    /// @dev An id that is found from the request's hash alone will do.
    function _dealIdOf(bytes32 requestHash, uint256) private pure returns (bytes32) {
        return requestHash;
    }
}
