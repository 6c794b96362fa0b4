// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {IAppRegistry} from "../../contracts/interfaces/IAppRegistry.sol";
import {IDatasetRegistry} from "../../contracts/interfaces/IDatasetRegistry.sol";
import {IWorkerpoolRegistry} from "../../contracts/interfaces/IWorkerpoolRegistry.sol";
import {Category, TaskStatus} from "../../contracts/types/Deals.sol";
import {Ending} from "./Ending.sol";
import {IGroup} from "./IGroup.sol";

/// @title Market
/// @notice A Hub with everything around it: actors with money, assets, and workers who were right before.
abstract contract Market is Ending {
    uint256 private constant MEMBERS = 3;
    uint256 private constant EARLIER_TASKS = 14;

    /// @param hubName Of the contract, whose escrow holds `currency`.
    function _open(string memory hubName, address currency) internal {
        IAppRegistry apps = IAppRegistry(_deploy("AppRegistry", abi.encode(address(this))));
        IDatasetRegistry datasets = IDatasetRegistry(_deploy("DatasetRegistry", abi.encode(address(this))));
        IWorkerpoolRegistry pools = IWorkerpoolRegistry(_deploy("WorkerpoolRegistry", abi.encode(address(this))));
        _owner = _actors[0];
        IAdmin.Config memory config = IAdmin.Config(
            currency,
            address(apps),
            address(datasets),
            address(pools),
            _owner,
            NOBODY
        );
        _deployHub(hubName, config, _categories());
        _domain = hub.eip712domain_separator();
        _createAssets(apps, datasets, pools);
        _foundGroup();
    }

    function _categories() private returns (Category[] memory categories) {
        uint256[] memory times = _times();
        categories = new Category[](times.length);
        for (uint256 i = 0; i < times.length; ++i) {
            categories[i] = Category("category", "", times[i]);
        }
    }

    function _foundGroup() private {
        _group = _deploy("Group", "");
        for (uint256 i = 0; i < MEMBERS; ++i) {
            IGroup(_group).add(_actors[i], 4);
            IGroup(_group).add(_apps[i], 4);
            IGroup(_group).add(_datasets[i], 4);
            IGroup(_group).add(_workerpools[i], 4);
        }
    }

    /// @dev Some score, so that words weigh differently and rewards are shared unevenly.
    function _earnScores() internal {
        for (uint256 i = 0; i < EARLIER_TASKS; ++i) {
            _agreeOnOne();
        }
    }

    /// @notice A whole replicated task, from its orders to its rewards.
    function agreeOnOne(uint256 seed) external action(seed) {
        _agreeOnOne();
    }

    function _agreeOnOne() private {
        bytes32 taskId = _newTask(Wishes(false, false, true, true));
        if (taskId == 0) return;
        for (uint256 i = 0; i < ACTORS && _tasks[taskId].status == TaskStatus.ACTIVE; ++i) {
            _contribute(taskId, _actors[i], false);
        }
        for (uint256 i = 0; i < ACTORS && _awaited(taskId) != NOBODY; ++i) {
            _reveal(taskId, _awaited(taskId), _tasks[taskId].agreed);
        }
        if (_tasks[taskId].status == TaskStatus.REVEALING) _finalize(taskId);
    }
}
