// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IHub} from "../interfaces/IHub.sol";
import {TaskStatus} from "../types/Deals.sol";

/// @title BatchObserver
/// @notice Whenever it is called back, looks how many tasks of a list are completed, at the results of one and at what
/// an account has.
contract BatchObserver {
    event Observed(bytes32 indexed taskId, uint256 completed, bytes lastResult, uint256 free, uint256 locked);

    IHub private _hub;
    address private _account;
    bytes32[] private _taskIds;

    function watch(IHub hub, address account, bytes32[] calldata taskIds) external {
        _hub = hub;
        _account = account;
        _taskIds = taskIds;
    }

    function receiveResult(bytes32 taskId, bytes calldata) external {
        uint256 completed;
        for (uint256 i = 0; i < _taskIds.length; ++i) {
            if (_hub.viewTask(_taskIds[i]).status == TaskStatus.COMPLETED) ++completed;
        }
        bytes memory lastResult = _hub.resultFor(_taskIds[_taskIds.length - 1]);
        emit Observed(taskId, completed, lastResult, _hub.balanceOf(_account), _hub.frozenOf(_account));
    }
}
