// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IDeals} from "../contracts/interfaces/IDeals.sol";
import {AppOrder, DatasetOrder, OrderKind, RequestOrder, WorkerpoolOrder} from "../contracts/types/Orders.sol";

/// @title Volumes: a deal takes from its orders what is left of them, and never more
/// @notice Supposed is that what was consumed of an order or a request is read as it was written: see Packing, and
/// test/proofs/Slots.t.sol.
contract Volumes {
    struct Terms {
        uint256 botFirst;
        uint256 botSize;
    }

    /// @dev The members that the volume depends on.
    struct Matching {
        Used app;
        Used dataset;
        Used workerpool;
        bytes32 requestHash;
        Terms terms;
    }

    // cut contracts/hub/Deals.sol: Used _leftOf _use
    // cut contracts/hub/Rules.sol: _left

    mapping(bytes32 orderHash => uint256) private _consumed;
    mapping(bytes32 requestHash => uint256) private _consumedByDeals;

    // What the functions of Deals are given. As state, all of it can be anything.
    Matching private matching;
    AppOrder private appOrder;
    DatasetOrder private datasetOrder;
    WorkerpoolOrder private workerpoolOrder;
    RequestOrder private requestOrder;

    /// @notice A deal has at least one task.
    function aDealHasATask() external {
        // cut contracts/hub/Deals.sol: _findVolume{}
        assert(matching.terms.botSize > 0);
    }

    /// @notice With a deal, no more of the app's order is consumed than its volume.
    function theAppOrderSuffices() external {
        uint256 before = _consumed[matching.app.orderHash];
        // cut contracts/hub/Deals.sol: _findVolume{}
        assert(before + matching.terms.botSize <= appOrder.volume);
    }

    /// @notice With a deal, no more of the dataset's order, if there is one, is consumed than its volume.
    function theDatasetOrderSuffices() external {
        uint256 before = _consumed[matching.dataset.orderHash];
        require(matching.dataset.orderHash != 0);
        // cut contracts/hub/Deals.sol: _findVolume{}
        assert(before + matching.terms.botSize <= datasetOrder.volume);
    }

    /// @notice With a deal, no more of the workerpool's order is consumed than its volume.
    function theWorkerpoolOrderSuffices() external {
        uint256 before = _consumed[matching.workerpool.orderHash];
        // cut contracts/hub/Deals.sol: _findVolume{}
        assert(before + matching.terms.botSize <= workerpoolOrder.volume);
    }

    /// @notice With a deal, no more of the request is consumed than its volume, and the deal begins where the last ended.
    function theRequestSuffices() external {
        uint256 before = _consumedByDeals[matching.requestHash];
        // cut contracts/hub/Deals.sol: _findVolume{}
        uint256 first = matching.terms.botFirst;
        assert(first == before && first + matching.terms.botSize <= requestOrder.volume);
    }

    /// @notice A deal is as large as its orders allow: one of them is used up.
    function anOrderIsUsedUp() external {
        // cut contracts/hub/Deals.sol: _findVolume{}
        uint256 size = matching.terms.botSize;
        bool app = _consumed[matching.app.orderHash] + size == appOrder.volume;
        uint256 ofDataset = _consumed[matching.dataset.orderHash];
        bool dataset = matching.dataset.orderHash != 0 && ofDataset + size == datasetOrder.volume;
        bool workerpool = _consumed[matching.workerpool.orderHash] + size == workerpoolOrder.volume;
        assert(app || dataset || workerpool || matching.terms.botFirst + size == requestOrder.volume);
    }

    /// @notice What a deal takes is counted as consumed of the app's order.
    function theAppOrderIsConsumed() external {
        uint256 before = _consumed[matching.app.orderHash];
        require(before == matching.app.consumed);
        require(matching.app.orderHash != matching.dataset.orderHash);
        require(matching.app.orderHash != matching.workerpool.orderHash);
        // cut contracts/hub/Deals.sol: _consume{}
        assert(_consumed[matching.app.orderHash] == before + matching.terms.botSize);
    }

    /// @notice What a deal takes is counted as consumed of the dataset's order, if there is one.
    function theDatasetOrderIsConsumed() external {
        uint256 before = _consumed[matching.dataset.orderHash];
        require(before == matching.dataset.consumed);
        require(matching.dataset.orderHash != matching.app.orderHash);
        require(matching.dataset.orderHash != matching.workerpool.orderHash);
        require(matching.dataset.orderHash != 0);
        // cut contracts/hub/Deals.sol: _consume{}
        assert(_consumed[matching.dataset.orderHash] == before + matching.terms.botSize);
    }

    /// @notice What a deal takes is counted as consumed of the workerpool's order.
    function theWorkerpoolOrderIsConsumed() external {
        uint256 before = _consumed[matching.workerpool.orderHash];
        require(before == matching.workerpool.consumed);
        require(matching.workerpool.orderHash != matching.app.orderHash);
        require(matching.workerpool.orderHash != matching.dataset.orderHash);
        // cut contracts/hub/Deals.sol: _consume{}
        assert(_consumed[matching.workerpool.orderHash] == before + matching.terms.botSize);
    }

    /// @notice A deal consumes nothing of any other order, nor of one for a dataset that it does not have.
    function othersAreLeftAlone(bytes32 other) external {
        require(other != matching.app.orderHash && other != matching.workerpool.orderHash);
        require(other != matching.dataset.orderHash || matching.dataset.orderHash == 0);
        uint256 before = _consumed[other];
        // cut contracts/hub/Deals.sol: _consume{}
        assert(_consumed[other] == before);
    }

    function _stateOf(bytes32 orderHash) private view returns (address, uint256) {
        return (address(0), _consumed[orderHash]);
    }

    function _setConsumedOf(bytes32 orderHash, address, uint256 consumed) private {
        _consumed[orderHash] = consumed;
    }

    function _consumedOfRequest(bytes32 requestHash) private view returns (uint256) {
        return _consumedByDeals[requestHash];
    }
}
